/**
 * A server as the launcher runs it, in a process of its own.
 *
 * @module
 */

/** How {@linkcode ServerProcess.start} starts a server. */
export interface ServerProcessOptions {
  /** Its folder. */
  data: string;
  /**
   * Its port.
   *
   * @default {0}, any free one
   */
  port?: number;
  /** More flags. */
  flags?: string[];
}

/** A running server. */
export class ServerProcess {
  /** Where it listens. */
  readonly port: number;
  readonly #child: Deno.ChildProcess;
  readonly #output: ReadableStreamDefaultReader<string>;
  #ended = false;

  private constructor(
    port: number,
    child: Deno.ChildProcess,
    output: ReadableStreamDefaultReader<string>,
  ) {
    this.port = port;
    this.#child = child;
    this.#output = output;
  }

  /** Starts a server on 127.0.0.1, and waits until it listens. */
  static async start(
    name: string,
    { data, port = 0, flags = [] }: ServerProcessOptions,
  ): Promise<ServerProcess> {
    const permissions = ["--allow-net=127.0.0.1", "--allow-read", `--allow-write=${data}`];
    const place = ["--host", "127.0.0.1", "--port", `${port}`, "--data", data];
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--quiet",
        "--no-prompt",
        "--no-check",
        ...permissions,
        "servers/main.ts",
        name,
        ...place,
        ...flags,
      ],
      cwd: new URL("../", import.meta.url),
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const output = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    let line = "";
    for (let part = await output.read(); !part.done; part = await output.read()) {
      line += part.value;
      if (line.includes("\n")) break;
    }
    const match = /^Listening on 127\.0\.0\.1:(\d+)\n/.exec(line);
    if (!match) throw new Error(`The server did not start as it should: ${JSON.stringify(line)}`);
    return new ServerProcess(Number(match[1]), child, output);
  }

  /** Ends it: at once by SIGKILL, or in good order by SIGTERM. Ending twice is harmless. */
  async end(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    this.#child.kill(signal);
    await this.#child.status;
    await this.#output.cancel();
  }
}
