/**
 * The chat under load, as its task starts it: messages said, stored and delivered, with 100 members.
 *
 * First as fast as it goes: senders keep messages on their way, and every `said` is counted. Then at half that rate: the
 * time from when a message was due to be said until another member has it. A message is delivered to 99 others, and all
 * of them are this one thread.
 *
 * `deno run -A tools/bench/chat_bench.ts`
 *
 * @module
 */
import type { FramedConn } from "../../lib/conn/framed_conn.ts";
import { parseServerMessage } from "../../lib/chat/protocol.ts";
import { ChatClient } from "../shared/chat_client.ts";
import { NO_FLOOD_CONTROL, ServerProcess } from "../shared/server_process.ts";
import { percentile, short, table } from "./report.ts";

const MEMBERS = 100;
const SENDERS = 2;
const WINDOW = 64;
const SECONDS = 2;
const TICK_MS = 2;

interface Members {
  senders: FramedConn[];
  /** The member whose messages are looked at; those of the others are dropped. */
  listener: FramedConn;
  others: FramedConn[];
}

async function enterAll(port: number): Promise<Members> {
  const conns = await Promise.all(Array.from({ length: MEMBERS }, async (_, i) => {
    const client = await ChatClient.connect(port);
    await client.register(`member_${i}`, { history: 0 });
    return client.conn;
  }));
  const [listener, ...others] = conns.splice(SENDERS);
  for (const conn of others) discard(conn);
  return { senders: conns, listener: listener!, others };
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

/** Says the next message whenever one of the window is stored, and counts those that were stored in time. */
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

/** Messages stored a second, as fast as it goes. */
async function saturate({ senders, listener }: Members): Promise<number> {
  const heard = hearUntil(listener, "end", () => {});
  const until = performance.now() + SECONDS * 1000;
  const said = await Promise.all(senders.map((conn) => sayAll(conn, until)));
  await say(senders[0]!, "end");
  await heard;
  return said.reduce((sum, one) => sum + one) / SECONDS;
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
async function pace({ senders, listener }: Members, rate: number): Promise<number[]> {
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
  await using server = await ServerProcess.start("chat", NO_FLOOD_CONTROL);
  const members = await enterAll(server.port);
  const rate = await saturate(members);
  const latenciesMs = await pace(members, rate / 2);
  for (const conn of [...members.senders, members.listener, ...members.others]) conn.close();
  console.log(table([
    ["members", "stored", "delivered", "p50 at half", "p99 at half"],
    [
      `${MEMBERS}`,
      `${short(rate)}/s`,
      `${short(rate * (MEMBERS - 1))}/s`,
      `${short(percentile(latenciesMs, 0.5))} ms`,
      `${short(percentile(latenciesMs, 0.99))} ms`,
    ],
  ]));
}
