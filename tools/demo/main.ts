/**
 * The chat in ten seconds, without a second terminal: a server, three members, a pause, and what everybody saw.
 *
 * The members talk through the real client's code, to the real server in its thread, with data of its own.
 *
 * @module
 */
import { ChatSession } from "../../client/session/session.ts";
import { ChatView } from "../../client/chat/view.ts";
import { nameStyle, type Paint, painter } from "../../lib/terminal/color.ts";
import { FramedConn } from "../../lib/conn/framed_conn.ts";
import { showLog } from "../../lib/log/log_tail.ts";
import { withoutSeparator } from "../../lib/base/task_args.ts";
import { parseServerLine, type ServerConfig } from "../../servers/control/config.ts";
import { ListeningThread } from "../../servers/control/listening_thread.ts";

const DATA = "data/demo";
const USAGE = `Usage: deno task demo

Shows the chat in ten seconds. It takes no flags, and leaves what the server kept in ${DATA}.`;
const LOG_LINES = 12;
const PATIENCE_MS = 5000;

/** One member of the demo: a session of the real client, whose view goes to standard output. */
class DemoMember implements Disposable {
  readonly name: string;
  readonly session: ChatSession;
  readonly #ended: Promise<unknown>;

  constructor(name: string, port: number, paint: Paint) {
    const view = new ChatView(paint);
    const label = paint(name.padEnd(6), nameStyle(name), "bold");
    const show = (text: string | undefined) => void (text && console.log(`${label}│ ${text}`));
    this.name = name;
    this.session = new ChatSession({
      connect: () => FramedConn.connect({ port }),
      credentials: () => Promise.resolve({ name, password: crypto.randomUUID(), register: true }),
      onMessage: (message, own) => show(view.show(message, own)?.text),
      onWait: (wait) => show(view.wait(`127.0.0.1:${port}`, wait)?.text),
      backoff: { minMs: 100, maxMs: 500 },
    });
    this.#ended = this.session.run();
  }

  /** Says something, and waits until it is stored. */
  async say(text: string, to?: string): Promise<void> {
    this.session.say(text, to === undefined ? {} : { to });
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

async function main([flag]: string[]): Promise<number> {
  if (flag === undefined) await show();
  else if (flag === "--help") console.log(USAGE);
  else console.error(`Cannot use ${JSON.stringify(flag)}: the demo takes no flags but --help`);
  return flag === undefined || flag === "--help" ? 0 : 2;
}

async function show(): Promise<void> {
  const paint = painter();
  const tell = (text: string) => console.log(paint(`\n── ${text}`, "bold"));
  const config = await freshConfig();
  using thread = new ListeningThread();
  const { port } = await thread.start(config);
  tell(`The chat listens on 127.0.0.1:${port}. Anna, Борис and Chen register`);
  using anna = await join("Anna", port, paint);
  using boris = await join("Борис", port, paint);
  using chen = await join("Chen", port, paint);
  const members = [anna, boris, chen];

  tell("They talk");
  await anna.say("Hello, everybody!");
  await boris.say("Привет, Anna! 👋");
  await everybodyIsIn(members);

  tell("Chen whispers to Anna: Борис does not see it");
  await chen.say("lunch at noon?", "Anna");
  await everybodyIsIn(members);

  tell("The operator pauses the server. Борис goes on typing, and the server comes back");
  console.log(`console│ > pause\nconsole│ ${await thread.call("pause")}`);
  boris.session.say("typed while the server was away");
  console.log(`console│ > resume\nconsole│ ${await thread.call("resume")}`);
  await boris.session.settled(PATIENCE_MS);
  await everybodyIsIn(members);

  tell("They leave, and the operator stops the server");
  for (const member of members) await member.leave();
  console.log(`console│ > stop\nconsole│ ${await thread.stop()}`);

  tell(`The last ${LOG_LINES} lines of ${config.logPath}: sizes, never texts`);
  for (const line of await showLog(config.logPath, LOG_LINES)) console.log(paint(line, "dim"));
  tell("Now yourself: deno task chat, and in two other terminals deno task chat:client");
}

async function freshConfig(): Promise<ServerConfig> {
  await Deno.remove(DATA, { recursive: true }).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
  const parsed = parseServerLine(["chat", "--port", "0", "--data", DATA]);
  if ("help" in parsed) throw new TypeError("Cannot start the demo: its flags ask for help");
  return parsed.config;
}

async function join(name: string, port: number, paint: Paint): Promise<DemoMember> {
  const member = new DemoMember(name, port, paint);
  await member.session.entered;
  return member;
}

/** Waits until each member has seen what was sent before: its own ping comes back after all of it. */
async function everybodyIsIn(members: DemoMember[]): Promise<void> {
  for (const { session } of members) await session.settled(PATIENCE_MS);
}

if (import.meta.main) Deno.exitCode = await main(withoutSeparator(Deno.args));
