/**
 * The chat under load: messages said, stored and delivered, with 100 members.
 *
 * First as fast as it goes: senders keep messages on their way, and every `said` is counted. Then at half that rate: the
 * time from when a message was due to be said until another member has it. A message is delivered to 99 others, and all
 * of them are this one thread; so it is told how busy both sides were at full speed: 1 is one core.
 *
 * `deno run --allow-net=127.0.0.1 --allow-run=deno --allow-read=/tmp --allow-write=/tmp tools/bench/chat.ts`
 *
 * @module
 */
import { cpuUsage } from "node:process";
import { FramedConn } from "../../lib/conn/framed_conn.ts";
import { parseServerMessage, PROTOCOL_VERSION } from "../../lib/chat/protocol.ts";
import { temporaryFolder } from "./chat_setup.ts";
import { Child } from "./child.ts";
import { percentile, short, table } from "./report.ts";

const MEMBERS = 100;
const SENDERS = 2;
const WINDOW = 64;
const SECONDS = 2;
const TICK_MS = 2;

interface Chat {
  child: Child;
  senders: FramedConn[];
  /** The member whose messages are looked at; nobody looks at those of the others. */
  listener: FramedConn;
  others: FramedConn[];
}

async function enter(port: number, token: string): Promise<FramedConn> {
  const conn = await FramedConn.connect({ port });
  const hello = { type: "hello", version: PROTOCOL_VERSION, token, history: 0 };
  await conn.send(JSON.stringify(hello));
  for await (const text of conn) if (parseServerMessage(text)?.type === "welcome") return conn;
  throw new Error("The chat did not let a member in");
}

async function open(child: Child): Promise<Chat> {
  const { port, tokens } = JSON.parse(await child.line()) as { port: number; tokens: string[] };
  const conns = [];
  for (const token of tokens) conns.push(await enter(port, token));
  const [listener, ...others] = conns.splice(SENDERS);
  for (const conn of others) discard(conn);
  return { child, senders: conns, listener: listener!, others };
}

/** Takes what comes and drops it: bytes, which cost less than texts. */
async function discard(conn: FramedConn): Promise<void> {
  const buffer = new Uint8Array(64 * 1024);
  try {
    while (await conn.read(buffer) !== null);
  } catch {
    // The benchmark is over, and the connection closed.
  }
}

let lastRef = 0;

function say(conn: FramedConn, text: string): Promise<void> {
  return conn.send(JSON.stringify({ type: "say", ref: `ref_${++lastRef}`, text }));
}

/** Says the next message whenever one of the window is stored, and tells how many were stored. */
async function sayAll(conn: FramedConn, until: number): Promise<number> {
  let said = 0;
  let awaited = WINDOW;
  for (let i = 0; i < WINDOW; i++) say(conn, "x".repeat(64));
  for await (const text of conn) {
    if (!text.startsWith('{"type":"said"')) continue;
    awaited--;
    if (performance.now() < until) {
      said++;
      awaited++;
      say(conn, "x".repeat(64));
    } else if (awaited === 0) break;
  }
  return said;
}

/** How long a process has worked, in microseconds. */
type Work = ReturnType<typeof cpuUsage>;

/** How busy a process was between two looks at it: 1 is one core. */
function busy(from: Work, to: Work, elapsedMs: number): number {
  return (to.user + to.system - from.user - from.system) / 1000 / elapsedMs;
}

/** Messages stored a second, as fast as it goes, and how busy the two sides were. */
async function saturate({ child, senders, listener }: Chat) {
  const heard = hearUntil(listener, "end", () => {});
  const look = async () => [await child.ask<Work>(""), cpuUsage(), performance.now()] as const;
  const [server, client, startedAt] = await look();
  const until = startedAt + SECONDS * 1000;
  const said = await Promise.all(senders.map((conn) => sayAll(conn, until)));
  const [serverThen, clientThen, endedAt] = await look();
  await say(senders[0]!, "end");
  await heard;
  return {
    rate: said.reduce((sum, one) => sum + one) / SECONDS,
    serverBusy: busy(server, serverThen, endedAt - startedAt),
    clientBusy: busy(client, clientThen, endedAt - startedAt),
  };
}

/** Hands over the text of each message until the text `last`. */
async function hearUntil(
  conn: FramedConn,
  last: string,
  heard: (text: string) => void,
): Promise<void> {
  for await (const frame of conn) {
    const message = parseServerMessage(frame);
    if (message?.type !== "message") continue;
    if (message.text === last) return;
    heard(message.text);
  }
}

/** Says messages at a rate, and gives the times from due to delivered, in milliseconds. */
async function pace({ senders, listener }: Chat, rate: number): Promise<number[]> {
  for (const sender of senders) discard(sender);
  const latenciesMs: number[] = [];
  const heard = hearUntil(listener, "end", (dueAt) => {
    latenciesMs.push(performance.now() - Number(dueAt));
  });
  const startedAt = performance.now();
  let sent = 0;
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setInterval(() => {
    const due = Math.floor(Math.min(performance.now() - startedAt, SECONDS * 1000) * rate / 1000);
    while (sent < due) say(senders[sent % SENDERS]!, `${startedAt + ++sent * 1000 / rate}`);
    if (due >= Math.floor(SECONDS * rate)) resolve();
  }, TICK_MS);
  await promise;
  clearInterval(timer);
  await say(senders[(sent - 1) % SENDERS]!, "end");
  await heard;
  return latenciesMs;
}

if (import.meta.main) {
  using folder = temporaryFolder();
  const { path } = folder;
  const permissions = ["--allow-net=127.0.0.1", `--allow-read=${path}`, `--allow-write=${path}`];
  await using child = Child.deno("chat_server.ts", permissions, path, `${MEMBERS}`);
  const chat = await open(child);
  const { rate, serverBusy, clientBusy } = await saturate(chat);
  const latenciesMs = await pace(chat, rate / 2);
  for (const conn of [...chat.senders, chat.listener, ...chat.others]) conn.close();
  console.log(table([
    ["members", "stored", "delivered", "server busy", "clients busy", "p50 at half", "p99 at half"],
    [
      `${MEMBERS}`,
      `${short(rate)}/s`,
      `${short(rate * (MEMBERS - 1))}/s`,
      short(serverBusy),
      short(clientBusy),
      `${short(percentile(latenciesMs, 0.5))} ms`,
      `${short(percentile(latenciesMs, 0.99))} ms`,
    ],
  ]));
}
