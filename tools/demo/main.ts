/**
 * The chat in ten seconds, without a second terminal: a server, three members, two frames, a pause.
 *
 * The members talk through the real client's code, to the real server in its thread, with data of its own. All of it fits
 * a terminal of 80 columns and 24 rows.
 *
 * @module
 */
import { ChatSession } from "../../client/session/session.ts";
import { ChatView } from "../../client/chat/view.ts";
import { within } from "../../lib/base/within.ts";
import { FramedConn } from "../../lib/conn/framed_conn.ts";
import { type FaultProxyEvent, startFaultProxy } from "../../lib/faults/fault_proxy.ts";
import { FrameTrace } from "../faults/frame_trace.ts";
import { showLog } from "../../lib/log/log_tail.ts";
import { nameStyle, type Paint, painter } from "../../lib/terminal/color.ts";
import { type FlagValues, type Program, runProgram } from "../../servers/control/command_line.ts";
import { parseServerLine, type ServerConfig } from "../../servers/control/config.ts";
import { ListeningThread } from "../../servers/control/listening_thread.ts";

const DATA = "data/demo";
const SAY_RECEIVED = / received .*bytes=/;
const PREVIEW_BYTES = 40;
const PATIENCE_MS = 5000;
const STEP_MS = 1100;

const PROGRAM: Program = {
  usage: "deno task demo [flags]",
  flags: { fast: { help: "do not wait between the steps; Enter does the same" } },
  notes: `Shows the chat in ten seconds, and leaves what the server kept in ${DATA}.`,
};

/** One member of the demo: a session of the real client, whose messages go to standard output. */
class DemoMember implements Disposable {
  readonly session: ChatSession;
  isShown = false;
  #welcome = Promise.withResolvers<void>();
  readonly #ended: Promise<unknown>;

  constructor(name: string, port: number, paint: Paint) {
    const view = new ChatView(paint);
    const label = paint(name.padEnd(7), nameStyle(name), "bold");
    const show = (text: string | undefined) => {
      if (text !== undefined && this.isShown) console.log(`${label}│ ${text}`);
    };
    this.session = new ChatSession({
      connect: () => FramedConn.connect({ port }),
      credentials: () => Promise.resolve({ name, password: crypto.randomUUID(), register: true }),
      onMessage: (message, own) => {
        if (message.type === "welcome") this.#welcome.resolve();
        const text = view.show(message, own)?.text;
        if (["message", "said", "bye"].includes(message.type)) show(text);
      },
      onWait: (wait) => show(view.wait("the server", wait)?.text),
      backoff: { minMs: 100, maxMs: 500 },
    });
    this.#ended = this.session.run();
  }

  /** Settles when it is welcome the next time. */
  nextWelcome(): Promise<void> {
    this.#welcome = Promise.withResolvers();
    return this.#welcome.promise;
  }

  /** Says something, and waits until it is stored. */
  async say(text: string, to?: string): Promise<void> {
    this.session.say(text, { ref: text.slice(0, 5), ...(to !== undefined && { to }) });
    await this.session.settled(PATIENCE_MS);
  }

  async leave(): Promise<void> {
    this.session.close();
    await this.#ended;
  }

  [Symbol.dispose](): void {
    this.session.close();
  }
}

/** Prints the next frames that cross a proxy. */
class Wire {
  framesToShow = 0;
  #traces = { up: new FrameTrace(), down: new FrameTrace() };

  readonly take = (event: FaultProxyEvent): void => {
    const trace = () => new FrameTrace({ previewBytes: PREVIEW_BYTES });
    if (event.type === "connected") this.#traces = { up: trace(), down: trace() };
    if (event.type !== "delivered") return;
    const arrow = event.direction === "up" ? "→" : "←";
    const lines = this.#traces[event.direction].push(event.bytes);
    for (const line of lines) {
      if (this.framesToShow-- > 0) console.log(`       │ ${arrow} ${line}`);
    }
  };
}

/** Waits between the steps, until Enter is typed. */
class Pace {
  readonly #skip = Promise.withResolvers<void>();

  constructor(isFast: boolean) {
    if (isFast || !Deno.stdout.isTerminal()) this.#skip.resolve();
    else if (Deno.stdin.isTerminal()) {
      Deno.stdin.read(new Uint8Array(80)).then(() => this.#skip.resolve());
    }
  }

  async step(): Promise<void> {
    await within(STEP_MS, this.#skip.promise);
  }
}

async function main({ fast }: FlagValues): Promise<void> {
  const paint = painter();
  const pace = new Pace(fast !== undefined);
  const tell = (text: string) => console.log(paint(`── ${text}`, "bold"));
  const config = await freshConfig();
  using thread = new ListeningThread();
  const { port } = await thread.start(config);
  const wire = new Wire();
  await using proxy = await startFaultProxy({ to: { port }, onEvent: wire.take });

  tell(`A chat server listens on 127.0.0.1:${port}. Anna, Борис and Chen register`);
  using anna = new DemoMember("Anna", proxy.addr.port, paint);
  using boris = new DemoMember("Борис", port, paint);
  using chen = new DemoMember("Chen", port, paint);
  const members = [anna, boris, chen];
  for (const { session } of members) await session.entered;
  await everyoneIsCurrent(members);
  for (const member of members) member.isShown = true;
  await pace.step();

  tell("Anna speaks. Her frames: 4 bytes of length, then UTF-8, here JSON");
  wire.framesToShow = 2;
  await anna.say("Hello, everybody!");
  await everyoneIsCurrent(members);
  await pace.step();

  tell("Chen writes to Anna only: Борис does not see it");
  await chen.say("lunch at noon?", "Anna");
  await everyoneIsCurrent(members);
  await pace.step();

  await showPause([boris, anna, chen], thread, pace, tell);

  for (const member of members) await member.leave();
  await thread.stop();
  console.log("console│ stop: Stopped");
  await showLogLine(config.logPath, paint, tell);
  await pace.step();
  tell("Now yourself: deno task chat; to join, a browser or deno task chat:client");
}

/** A pause, in which the first of the members types. */
async function showPause(
  [boris, ...others]: [DemoMember, ...DemoMember[]],
  thread: ListeningThread,
  pace: Pace,
  tell: (text: string) => void,
): Promise<void> {
  const members = [boris, ...others];
  tell("The operator pauses the server. What Борис types waits in his client");
  for (const member of others) member.isShown = false;
  const back = members.map((member) => member.nextWelcome());
  console.log(`console│ pause: ${await thread.call("pause")}`);
  boris.session.say("typed during the pause");
  await pace.step();

  tell("The server resumes. All clients come back by themselves");
  others[0]!.isShown = true;
  console.log(`console│ resume: ${await thread.call("resume")}`);
  await Promise.all(back);
  await everyoneIsCurrent(members);
  await pace.step();
}

async function showLogLine(path: string, paint: Paint, tell: (text: string) => void) {
  tell(`${path} has sizes, never texts:`);
  const line = (await showLog(path, 200)).find((line) => SAY_RECEIVED.test(line)) ?? "";
  console.log(paint(line.slice(0, 79), "dim"));
}

async function freshConfig(): Promise<ServerConfig> {
  await Deno.remove(DATA, { recursive: true }).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
  const parsed = parseServerLine(["chat", "--port", "0", "--data", DATA]);
  if ("help" in parsed) throw new TypeError("Cannot start the demo: its flags ask for help");
  return parsed.config;
}

/** Waits until each member has received what was sent before: its own ping is answered after all of it. */
async function everyoneIsCurrent(members: DemoMember[]): Promise<void> {
  for (const { session } of members) await session.settled(PATIENCE_MS);
}

if (import.meta.main) await runProgram(PROGRAM, main);
