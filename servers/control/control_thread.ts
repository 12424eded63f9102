/**
 * The control thread of every server: flags, questions, and the control console.
 *
 * @module
 */
import { isLoopback } from "../../lib/base/address.ts";
import { joinHostPort } from "../../lib/base/endpoint.ts";
import type { Terminal } from "../../lib/terminal/terminal.ts";
import { EXIT_INTERRUPTED, runMain } from "./command_line.ts";
import { parseServerLine, plainTextWarning, type ServerConfig } from "./config.ts";
import type { Console } from "./console.ts";
import type { ListeningThread } from "./listening_thread.ts";
import { printError, printLine, reasonOf } from "./output.ts";
import { onHangUpSignal, onStopSignal } from "./signals.ts";

/** Runs the server that the first argument names, in a thread that was made for it, until it has stopped. */
export function main(thread: ListeningThread, args: readonly string[]): Promise<never> {
  return runMain(() => {
    const line = parseServerLine(args);
    if ("help" in line) return printLine(Deno.stdout, line.help);
    return new ControlThread(thread, line.config).run(line.given);
  }, (error) => inOwnLetters(reasonOf(error)));
}

/** Starts and stops one server as its operator says. */
class ControlThread {
  readonly #thread: ListeningThread;
  readonly #config: ServerConfig;
  /** Aborts when the server is to stop; the reason is what asked for it, `""` the command. */
  readonly #stop = new AbortController();
  readonly #isInBackground = Deno.stdin.isTerminal() && isInBackground();
  /** When a signal asked for the stop. */
  #stoppedAt = -Infinity;
  #terminal: Terminal | undefined;
  #console: Console | undefined;

  constructor(thread: ListeningThread, config: ServerConfig) {
    this.#thread = thread;
    this.#config = config;
  }

  /** Runs the server until it has stopped, and gives the exit code. */
  async run(given: Set<string>): Promise<number> {
    onStopSignal((signal) => this.#interrupt(signal));
    onHangUpSignal((signal) => this.#stop.abort(signal));
    try {
      // Where no questions can be asked, the server starts before the terminal is loaded.
      if (Deno.stdin.isTerminal() && !this.#isInBackground) await this.#openTerminal();
      if (this.#terminal?.isInteractive) await this.#ask(this.#terminal, given);
      if (this.#stop.signal.aborted) return EXIT_INTERRUPTED;
      await this.#serve();
      return 0;
    } finally {
      await this.#terminal?.[Symbol.asyncDispose]();
    }
  }

  async #serve(): Promise<void> {
    const { signal } = this.#stop;
    signal.addEventListener("abort", () => this.#thread.stop(signal.reason));
    const warning = plainTextWarning(this.#config);
    const { commands, ...addr } = await this.#thread.start(this.#config, warning);
    this.#print(listeningLine(addr, this.#config.port));
    if (warning) printError(warning);
    await this.#printInvitation(addr.port);
    if (this.#isInBackground) {
      this.#print("In the background there is no console: fg, and then Ctrl-C, ends the server");
    } else {
      this.#runConsole(commands);
    }
    await this.#thread.finished;
    if (signal.reason === "" || this.#terminal?.isInteractive) this.#print("Stopped");
    if (this.#terminal?.isInteractive && / -icanon /.test(terminalState())) this.#print(LEFT_RAW);
  }

  /** On a network, says how others take part. */
  async #printInvitation(port: number): Promise<void> {
    if (!this.#config.web || this.#config.raw || isLoopback(this.#config.host)) return;
    const { invitation } = await import("../web/invitation.ts");
    this.#print(invitation({ ...this.#config, port }));
  }

  /** Runs the operator's lines. The end of input ends the console, not the server. */
  async #runConsole(names: string[]): Promise<void> {
    const terminal = this.#terminal ?? await this.#openTerminal();
    const { Console } = await import("./console.ts");
    this.#console = new Console({
      names,
      logPath: this.#config.logPath,
      call: (command, argument) => this.#thread.call(command, argument),
      confirm: (question) => terminal.confirm(question),
      print: (text) => terminal.print(text),
      stop: () => this.#stop.abort(""),
    });
    if (terminal.isInteractive) this.#thread.onProgress = (text) => terminal.print(text);
    for await (const line of terminal) {
      if (this.#stop.signal.aborted) return;
      const answer = await this.#console.run(line);
      if (answer !== "") terminal.print(answer);
    }
    if (terminal.isInteractive && !this.#stop.signal.aborted) {
      terminal.print("The console is closed, and the server keeps running: Ctrl-C ends it");
    }
  }

  async #openTerminal(): Promise<Terminal> {
    const { Terminal } = await import("../../lib/terminal/terminal.ts");
    const { AsyncOutput } = await import("../../lib/terminal/async_output.ts");
    const terminal = this.#terminal = new Terminal({
      output: new AsyncOutput(Deno.stdout, { isLossy: true }),
      complete: (text) => this.#console?.complete(text) ?? [],
      onInterrupt: () => this.#interrupt("Ctrl-C"),
      onHangUp: () => this.#stop.abort("hang-up"),
      onPaste: () => true,
    });
    const { signal } = this.#stop;
    if (signal.aborted) terminal.close();
    else signal.addEventListener("abort", () => terminal.close());
    return terminal;
  }

  /** Asks for what no flag gave. The end of input, which at a terminal is Ctrl-D, cancels the start. */
  async #ask(terminal: Terminal, given: Set<string>): Promise<void> {
    const { askHost, askPort } = await import("../../lib/terminal/question.ts");
    const asker = {
      line: async (prompt: string) => {
        const answer = await terminal.question(prompt);
        if (answer === null && !this.#stop.signal.aborted) {
          this.#stop.abort("Ctrl-D");
          terminal.print("Cancelled: the server was not started");
        }
        return answer;
      },
      tell: (text: string) => terminal.print(text),
    };
    const config = this.#config;
    if (!given.has("host")) {
      config.host = await askHost(asker, { default: config.host, check: tryHost });
    }
    if (!given.has("port")) config.port = await askPort(asker, config.port);
  }

  #interrupt(by: string): void {
    const { aborted, reason } = this.#stop.signal;
    const isRepeated = performance.now() < this.#stoppedAt + SAME_SIGNAL_MS;
    // A second signal exits immediately.
    if (aborted && !isRepeated && !HANG_UPS.includes(reason)) Deno.exit(EXIT_INTERRUPTED);
    if (!aborted) this.#stoppedAt = performance.now();
    this.#stop.abort(by);
  }

  #print(text: string): void {
    if (this.#terminal) this.#terminal.print(text);
    else printLine(Deno.stdout, text);
  }
}

// Deno can give a terminal back only as it was found.
const LEFT_RAW = "An earlier program has left this terminal in raw mode: type stty sane";
// A signal to a process group comes twice: `deno task`, which is in the group, passes it on.
const SAME_SIGNAL_MS = 200;
// A terminal that goes away may send more than one signal.
const HANG_UPS = ["SIGHUP", "hang-up"];

/** Listens for a moment: only that shows whether the host is this machine, and whether the task may. */
function tryHost(hostname: string): void {
  try {
    Deno.listen({ hostname, port: 0 }).close();
  } catch (cause) {
    const advice =
      "give 127.0.0.1, localhost or ::1 for this machine, 0.0.0.0 for the whole network";
    throw new TypeError(`Cannot listen on ${inOwnLetters(hostname)}: ${advice}`, { cause });
  }
}

function listeningLine(addr: { hostname: string; port: number }, requestedPort: number): string {
  const line = `Listening on ${joinHostPort(addr.hostname, addr.port)}`;
  const moved = requestedPort !== 0 && addr.port !== requestedPort;
  return moved ? `${line} (${requestedPort} was busy)` : line;
}

/** Shows international names of hosts in their own letters, not as `xn--…`. */
function inOwnLetters(text: string): string {
  // Loaded where it is used: imported, it would delay the start of every server.
  const { domainToUnicode } = globalThis.process.getBuiltinModule("node:url");
  return text.replace(/[\w.-]*xn--[\w.-]+/g, (host) => domainToUnicode(host) || host);
}

/**
 * What the task says of its terminal. A program cannot find that out without all permissions: the shell of the task gives
 * its line of `/proc/self/stat` (proc(5)), where there is one, and what `stty -a` prints.
 */
function terminalState(): string {
  const { state } = Deno.permissions.querySync({ name: "env", variable: "TTY" });
  return state === "granted" ? Deno.env.get("TTY") ?? "" : "";
}

/**
 * Whether the process was started in the background of a terminal (`deno task chat &`): to read or set up the terminal
 * would stop it then. The shell of the task is in the same process group.
 */
function isInBackground(): boolean {
  const [, , group, , , foreground] = terminalState().replace(/^.*\) /s, "").split(" ");
  return Number(foreground) > 0 && foreground !== group;
}
