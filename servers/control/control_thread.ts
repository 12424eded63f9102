/**
 * The control thread of every server: flags, questions, and the control console.
 *
 * @module
 */
import { joinHostPort } from "../../lib/base/endpoint.ts";
import type { Terminal } from "../../lib/terminal/terminal.ts";
import { EXIT_INTERRUPTED, runMain } from "./command_line.ts";
import { parseServerLine, plainTextWarning, type ServerConfig } from "./config.ts";
import type { ListeningThread } from "./listening_thread.ts";
import { plainOutput, printLine, reasonOf } from "./output.ts";
import { onHangUpSignal, onStopSignal } from "./signals.ts";

/** Runs the server that the first argument names, in a thread that was made for it, until it has stopped. */
export function main(thread: ListeningThread, args: readonly string[]): Promise<never> {
  return runMain(() => {
    const line = parseServerLine(args);
    return "help" in line
      ? printLine(Deno.stdout, line.help)
      : run(thread, line.config, line.given);
  }, reasonOf);
}

async function run(
  thread: ListeningThread,
  config: ServerConfig,
  given: Set<string>,
): Promise<number> {
  using resources = new DisposableStack();
  const stop = new AbortController();
  // Whoever asks twice does not want to wait for clients.
  let isAsked = false;
  const interrupt = (by: string) => {
    if (isAsked) Deno.exit(EXIT_INTERRUPTED);
    isAsked = true;
    stop.abort(by);
  };
  // A terminal that goes away may tell it more than once.
  const hangUp = (by = "hang-up") => stop.abort(by);
  resources.use(onStopSignal(interrupt));
  resources.use(onHangUpSignal(hangUp));
  const open = async () => resources.use(await openTerminal({ interrupt, hangUp, stop }));
  // Where nobody can be asked, the server starts before the terminal is loaded.
  const terminal = Deno.stdin.isTerminal() ? await open() : undefined;
  if (terminal?.isInteractive) await ask(terminal, config, given);
  if (stop.signal.aborted) return EXIT_INTERRUPTED;
  stop.signal.addEventListener("abort", () => thread.stop(stop.signal.reason));
  const line = listeningLine(await thread.start(config), config.port);
  if (terminal) terminal.print(line);
  else printLine(Deno.stdout, line);
  const warning = plainTextWarning(config);
  if (warning) printLine(Deno.stderr, warning);
  const answering = answerCommands(terminal ?? await open(), config, thread);
  const isClosed = await Promise.race([answering.then(() => true), thread.finished]);
  if (isClosed && terminal?.isInteractive && !stop.signal.aborted) {
    terminal.print("The console is closed, and the server goes on: Ctrl-C ends it");
  }
  await thread.finished;
  return 0;
}

interface Stopping {
  interrupt(by: string): void;
  hangUp(): void;
  stop: AbortController;
}

async function openTerminal({ interrupt, hangUp, stop }: Stopping): Promise<Terminal> {
  const [{ Terminal }, { completeCommand }] = await Promise.all([
    import("../../lib/terminal/terminal.ts"),
    import("./console.ts"),
  ]);
  const terminal = new Terminal({
    ...(!Deno.stdout.isTerminal() && { output: plainOutput() }),
    complete: completeCommand,
    onInterrupt: () => interrupt("Ctrl-C"),
    onHangUp: () => hangUp(),
    onPaste: () => true,
  });
  if (stop.signal.aborted) terminal.close();
  else stop.signal.addEventListener("abort", () => terminal.close());
  return terminal;
}

/** Asks for what no flag told. */
async function ask(terminal: Terminal, config: ServerConfig, given: Set<string>): Promise<void> {
  const { askHost, askPort } = await import("../../lib/terminal/question.ts");
  const asker = {
    line: (prompt: string) => terminal.question(prompt),
    tell: (text: string) => terminal.print(text),
  };
  if (!given.has("host")) {
    config.host = await askHost(asker, { default: config.host, check: tryHost });
  }
  if (!given.has("port")) config.port = await askPort(asker, config.port);
}

/** Listens for a moment: only that tells whether the host is this machine, and whether the task may. */
function tryHost(hostname: string): void {
  try {
    Deno.listen({ hostname, port: 0 }).close();
  } catch (cause) {
    const advice =
      "give 127.0.0.1, localhost or ::1 for this machine, 0.0.0.0 for the whole network";
    throw new TypeError(`Cannot listen on ${hostname}: ${advice}`, { cause });
  }
}

function listeningLine(addr: { hostname: string; port: number }, requestedPort: number): string {
  const line = `Listening on ${joinHostPort(addr.hostname, addr.port)}`;
  const moved = requestedPort !== 0 && addr.port !== requestedPort;
  return moved ? `${line} (${requestedPort} was busy)` : line;
}

/** Runs the operator's lines. The end of input ends the control, not the server. */
async function answerCommands(
  terminal: Terminal,
  { logPath }: ServerConfig,
  thread: ListeningThread,
): Promise<void> {
  const { runLine } = await import("./console.ts");
  const options = {
    logPath,
    run: (command: string, argument: string) =>
      command === "stop" ? thread.stop() : thread.run(command, argument),
    confirm: (question: string) => terminal.confirm(question),
  };
  for await (const line of terminal) {
    const answer = await runLine(line, options);
    if (answer !== "") terminal.print(answer);
  }
}
