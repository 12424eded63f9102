/**
 * The launcher of every server: flags, questions, the listening thread, and the control console.
 *
 * @module
 */
import { askHost, askPort } from "../lib/question.ts";
import { Terminal } from "../lib/terminal.ts";
import { COMMANDS, runLine } from "./console.ts";
import { parseFlags, type ServerConfig } from "./flags.ts";
import { ListeningThread } from "./listening_thread.ts";

const EXIT_FAILURE = 1;
const EXIT_USAGE = 2;
const EXIT_INTERRUPTED = 130;

// Windows gained SIGTERM late, and the console's break key is all that is needed there.
const STOP_SIGNALS: Deno.Signal[] = Deno.build.os === "windows"
  ? ["SIGINT"]
  : ["SIGINT", "SIGTERM"];

/** Runs the server that the first argument names until it has stopped, and gives the exit code. */
export async function main([name = "", ...args]: string[]): Promise<number> {
  let parsed;
  try {
    parsed = parseFlags(name, args);
  } catch (error) {
    return complain(error, EXIT_USAGE);
  }
  if ("help" in parsed) {
    console.log(parsed.help);
    return 0;
  }
  try {
    await run(parsed.config, parsed.given);
    return 0;
  } catch (error) {
    return complain(error, EXIT_FAILURE);
  }
}

async function run(config: ServerConfig, given: Set<string>): Promise<void> {
  const stop = new AbortController();
  // Whoever asks twice does not want to wait for clients.
  const interrupt = () => stop.signal.aborted ? Deno.exit(EXIT_INTERRUPTED) : stop.abort();
  using terminal = new Terminal({
    complete: completeCommand,
    onInterrupt: interrupt,
    onPaste: () => true,
  });
  using _signals = onSignals(interrupt);
  if (terminal.isInteractive) await ask(terminal, config, given);
  stop.signal.throwIfAborted();
  using thread = new ListeningThread(config);
  const { hostname, port } = await thread.listening;
  terminal.print(listeningLine(hostname, port, config.port));
  stop.signal.addEventListener("abort", () => thread.stop());
  answerCommands(terminal, config, thread);
  await thread.finished;
}

/** Asks for what no flag told. */
async function ask(terminal: Terminal, config: ServerConfig, given: Set<string>): Promise<void> {
  const asker = {
    line: (prompt: string) => terminal.question(prompt),
    tell: (text: string) => terminal.print(text),
  };
  if (!given.has("host")) config.host = await askHost(asker, config.host);
  if (!given.has("port")) config.port = await askPort(asker, config.port);
}

/** Runs the operator's lines. The end of input ends the control, not the server. */
async function answerCommands(
  terminal: Terminal,
  config: ServerConfig,
  thread: ListeningThread,
): Promise<void> {
  const options = {
    logPath: config.logPath,
    run: (command: string, argument: string) => thread.run(command, argument),
    confirm: (question: string) => terminal.confirm(question),
  };
  for await (const line of terminal) {
    const answer = await runLine(line, options);
    if (answer !== "") terminal.print(answer);
  }
}

function completeCommand(beforeCursor: string): string[] {
  return beforeCursor.includes(" ")
    ? []
    : Object.keys(COMMANDS).filter((name) => name.startsWith(beforeCursor));
}

function listeningLine(hostname: string, port: number, requestedPort: number): string {
  const host = hostname.includes(":") ? `[${hostname}]` : hostname;
  const moved = requestedPort !== 0 && port !== requestedPort;
  return `Listening on ${host}:${port}${moved ? ` (${requestedPort} was busy)` : ""}`;
}

function onSignals(listener: () => void): Disposable {
  for (const signal of STOP_SIGNALS) Deno.addSignalListener(signal, listener);
  return {
    [Symbol.dispose]() {
      for (const signal of STOP_SIGNALS) Deno.removeSignalListener(signal, listener);
    },
  };
}

function complain(error: unknown, exitCode: number): number {
  console.error(error instanceof Error ? error.message : String(error));
  return exitCode;
}

// A thread that does not stop, as one in an endless loop, would keep the process for ever.
if (import.meta.main) Deno.exit(await main(Deno.args));
