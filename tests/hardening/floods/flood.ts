/**
 * How long a normal member of a flooded chat waits for what another says.
 *
 * As a program it measures every kind of flood, a few seconds each: `deno run -A tests/hardening/floods/flood.ts [SECONDS]`.
 *
 * @module
 */
import { percentile, short, table } from "../../../tools/bench/report.ts";
import { readLines } from "../../../lib/terminal/lines.ts";
import { ChatClient } from "../../../tools/shared/chat_client.ts";
import { startChat } from "../../support/chat_server.ts";
import { ServerProcess } from "../../../tools/shared/server_process.ts";
import type { Answered } from "./flooder.ts";

/** How many connections flood. */
export const CONNECTIONS = 400;
// Each says four messages a second: less than the flood control allows.
const TALKERS = 10;
const TALKER_MS = 250;
const FLOODING_MEMBERS = 100;
const PATIENCE_MS = 20_000;

/** What was measured under one flood. */
export interface Measured {
  /** From when a message was said until another member had it; one for each message. */
  latenciesMs: number[];
  /** How late a timer of this process was before each message: what the machine adds, whatever the server does. */
  lateMs: number[];
  /** What the server used of one processor, from 0. */
  cpu: number;
  /** How much each flooding connection was answered; nothing where the kind of flood does not tell. */
  answered: Answered[];
}

/** The kinds of floods; see `flooder.ts`. */
export const FLOODS = [
  "none",
  "unauthenticated, ping-pong",
  "unauthenticated, flooding",
  "unauthenticated, junk",
  "unauthenticated, reconnecting",
  "members in ping-pong",
  "members flooding",
  "members with junk",
  "members talking without end",
  "members reading the history",
  "members that come and go",
  "guesses at passwords",
  "registrations",
] as const;

/** Starts a chat, floods it from a process of its own, and lets normal members talk meanwhile. */
export async function measureFlood(
  kind: typeof FLOODS[number],
  seconds: number,
): Promise<Measured> {
  const data = Deno.makeTempDirSync({ prefix: "flood_" });
  try {
    const prepared = await (members ??= prepareMembers());
    Deno.writeFileSync(`${data}/chat.db`, prepared.database);
    const tokens = [...prepared.tokens];
    await using server = await ServerProcess.start("chat", [], { data });
    const enter = async (token: string) => {
      const client = await ChatClient.connect(server.port);
      await client.resume(token, { history: 0 });
      return client;
    };
    using entered = new DisposableStack();
    const listener = entered.use(await enter(tokens.shift()!));
    const talkers = [];
    for (const token of tokens.splice(0, TALKERS)) talkers.push(entered.use(await enter(token)));
    for (const talker of talkers) discard(talker);
    await using flood = kind === "none"
      ? undefined
      : await Flooder.start(server.port, kind, tokens);
    const cpuBefore = processorSeconds(server.pid);
    const startedAt = performance.now();
    const talked = await talk(talkers, listener, seconds * 1000);
    const cpu = (processorSeconds(server.pid) - cpuBefore) /
      ((performance.now() - startedAt) / 1000);
    return { ...talked, cpu, answered: await flood?.stop() ?? [] };
  } finally {
    Deno.removeSync(data, { recursive: true });
  }
}

/** A database with the accounts of all members and two old messages of 1,000 characters each; and their tokens. */
interface Prepared {
  database: Uint8Array;
  tokens: string[];
}

let members: Promise<Prepared> | undefined;

async function prepareMembers(): Promise<Prepared> {
  const path = Deno.makeTempFileSync({ prefix: "flood_", suffix: ".db" });
  try {
    const tokens = await register(path);
    return { database: Deno.readFileSync(path), tokens };
  } finally {
    Deno.removeSync(path);
  }
}

async function register(path: string): Promise<string[]> {
  await using chat = startChat({ path });
  const tokens: string[] = [];
  for (let i = 0; i < TALKERS + 1 + FLOODING_MEMBERS; i++) {
    using client = await chat.connect();
    tokens.push(await client.register(`member_${i}`, { history: 0 }));
    for (const _ of [1, 2]) await client.say("x".repeat(1000));
  }
  return tokens;
}

/** The 50th and the 99th percentile, and the longest, in milliseconds. */
function spread({ latenciesMs }: Measured): string[] {
  return [0.5, 0.99, 1].map((share) => short(percentile(latenciesMs, share)));
}

/** The 99th percentile and what else is worth telling, in one line. */
export function describe(measured: Measured): string {
  const { latenciesMs, cpu } = measured;
  const [p50, p99, most] = spread(measured);
  const load = `server ${Math.round(cpu * 100)} % of a processor`;
  return `${latenciesMs.length} messages: p50 ${p50} ms, p99 ${p99} ms, most ${most} ms; ${load}`;
}

/** The talkers speak in turn, evenly over the time; measures how long each message took to the listener. */
async function talk(
  talkers: ChatClient[],
  listener: ChatClient,
  durationMs: number,
): Promise<Pick<Measured, "latenciesMs" | "lateMs">> {
  const count = Math.floor(durationMs / TALKER_MS) * talkers.length;
  const startedAt = performance.now();
  const latenciesMs: number[] = [];
  const lateMs: number[] = [];
  const heard = (async () => {
    while (latenciesMs.length < count) {
      const { from, text } = await listener.until("message");
      if (!from.startsWith("member_") || !text.startsWith("at ")) continue;
      latenciesMs.push(performance.now() - Number(text.slice(3)));
      listener.received.length = 0;
    }
  })();
  for (let i = 0; i < count; i++) {
    const dueAt = startedAt + i * TALKER_MS / talkers.length;
    const earlyMs = dueAt - performance.now();
    if (earlyMs > 0) await new Promise((resolve) => setTimeout(resolve, earlyMs));
    lateMs.push(performance.now() - dueAt);
    const text = `at ${performance.now()}`;
    talkers[i % talkers.length]!.send({ type: "say", ref: `${i}`, text });
  }
  // Who is not heard by then is not heard at all: the listener fails.
  const timer = setTimeout(() => listener.conn.close(), PATIENCE_MS);
  await heard.finally(() => clearTimeout(timer));
  return { latenciesMs, lateMs };
}

async function discard({ conn }: ChatClient): Promise<void> {
  const buffer = new Uint8Array(64 * 1024);
  try {
    while (await conn.read(buffer) !== null);
  } catch {
    // The measurement is over, and the connection closed.
  }
}

/** A running `flooder.ts`. */
class Flooder implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #lines: AsyncGenerator<string, void, void>;

  private constructor(child: Deno.ChildProcess, lines: AsyncGenerator<string, void, void>) {
    this.#child = child;
    this.#lines = lines;
  }

  static async start(port: number, kind: string, tokens: string[]): Promise<Flooder> {
    const script = new URL("./flooder.ts", import.meta.url).pathname;
    const args = ["run", "--allow-net=127.0.0.0/8", script, `${port}`, kind, `${CONNECTIONS}`];
    const child = new Deno.Command(Deno.execPath(), {
      args: [...args, ...tokens],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const lines = readLines(child.stdout);
    const flooder = new Flooder(child, lines);
    const timer = setTimeout(() => child.kill("SIGKILL"), PATIENCE_MS);
    const { done } = await lines.next();
    clearTimeout(timer);
    if (!done) return flooder;
    await flooder[Symbol.asyncDispose]();
    throw new Error(`Not all who flood are in after ${PATIENCE_MS} ms`);
  }

  /** Ends the flood, and tells how much each connection was answered. */
  async stop(): Promise<Answered[]> {
    await this.#child.stdin.close();
    const { value = "[]" } = await this.#lines.next();
    return JSON.parse(value);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child.stdin.close().catch(() => {/* It was stopped. */});
    await this.#lines.return();
    await this.#child.status;
  }
}

/** What a process has used of the processors so far; 0 where the system does not tell. */
function processorSeconds(pid: number): number {
  try {
    const fields = Deno.readTextFileSync(`/proc/${pid}/stat`).replace(/^.*\) /s, "").split(" ");
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return 0;
  }
}

if (import.meta.main) {
  const [seconds = "5", only = ""] = Deno.args;
  const rows = [["flood", "messages", "p50 ms", "p99 ms", "most ms", "server, % of a processor"]];
  for (const kind of FLOODS.filter((kind) => kind.includes(only))) {
    const measured = await measureFlood(kind, Number(seconds));
    const { latenciesMs, cpu } = measured;
    rows.push([kind, `${latenciesMs.length}`, ...spread(measured), `${Math.round(cpu * 100)}`]);
    console.log(rows.at(-1)!.join(" | "));
  }
  console.log(table(rows));
}
