/**
 * How cost grows with connections, message size, members and history. Writes Markdown; `tools/bench/RESULTS.md` is made by
 *
 * ```sh
 * deno run --allow-net=127.0.0.1 --allow-run=deno --allow-read=/tmp --allow-write=/tmp tools/bench/growth.ts > tools/bench/RESULTS.md
 * deno fmt tools/bench/RESULTS.md
 * ```
 *
 * 10,000 connections need that many descriptors in each of two processes (`ulimit -n 20000`).
 *
 * @module
 */
import { FramedConn } from "../../lib/conn/framed_conn.ts";
import type { HistoryStore } from "../../lib/store/history_store.ts";
import { memoryConnPair } from "../../lib/conn/memory_conn.ts";
import { parseServerMessage, PROTOCOL_VERSION } from "../../lib/chat/protocol.ts";
import { type BenchChat, openBenchChat, temporaryFolder } from "./chat_setup.ts";
import { Child } from "./child.ts";
import type { LoadJob, LoadResult } from "./load_cases.ts";
import { Progress } from "./progress.ts";
import { median, short, table } from "./report.ts";

const CONNECTIONS = [1, 10, 100, 1000, 10_000];
const BODY_BYTES = [16, 256, 4096, 65_536, 1_048_576];
const MEMBERS = [10, 100, 500, 1000, 2000];
const HISTORY = [0, 1000, 10_000, 100_000, 1_000_000];
// The memory of fewer connections drowns in what the garbage collector does.
const MEASURABLE = 1000;
const ROUNDS = 3;
const SECONDS = 0.5;
const APPEND_AT_ONCE = 10_000;
const JOINS = 50;
const MISSED = 100;

/** What was measured at one size: a number for each column. */
type Row = [size: number, ...columns: number[]];

/** An echo or broadcast server of ours, and a client that loads it. */
interface Load extends AsyncDisposable {
  server: Child;
  /** Does a job; rounds are for the caller. */
  run(job: Omit<LoadJob, "port">): Promise<LoadResult>;
}

async function startLoad(mode: "echo" | "fan"): Promise<Load> {
  const server = Child.deno("our_server.ts", ["--allow-net=127.0.0.1"], mode);
  const client = Child.deno("load_client.ts", ["--allow-net=127.0.0.1"]);
  const port = Number(await server.line());
  return {
    server,
    run: (job) => client.ask<LoadResult>({ ...job, port }),
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** The median rate of some rounds. */
async function rateOf(load: Load, job: Omit<LoadJob, "port" | "seconds">): Promise<number> {
  const rates = [];
  for (let round = 0; round < ROUNDS; round++) {
    rates.push((await load.run({ ...job, seconds: SECONDS })).rate);
  }
  return median(rates);
}

async function connectionsRow(connections: number): Promise<Row> {
  await using load = await startLoad("echo");
  const memory = async () => (await load.server.ask<{ rssBytes: number }>("")).rssBytes;
  const speaking = { kind: "echo", connections: 8, window: 1, bodyBytes: 128 } as const;
  await rateOf(load, speaking);
  const before = await memory();
  await load.run({ ...speaking, kind: "hold", connections, seconds: 1 });
  const held = await memory() - before;
  const each = connections < MEASURABLE ? NaN : held / connections;
  return [connections, each, await rateOf(load, speaking)];
}

async function sizeRow(bodyBytes: number): Promise<Row> {
  await using load = await startLoad("echo");
  const rate = await rateOf(load, { kind: "echo", connections: 8, window: 1, bodyBytes });
  return [bodyBytes, rate, rate * bodyBytes];
}

async function membersRow(connections: number): Promise<Row> {
  await using load = await startLoad("fan");
  const rate = await rateOf(load, { kind: "fan", connections, window: 16, bodyBytes: 128 });
  return [connections, rate / connections, rate];
}

/** Lets a member of the chat in and waits until it has seen the message with the id `last`; milliseconds. */
async function joinMs(chat: BenchChat, hello: { history?: number; since?: number }) {
  const [near, far] = memoryConnPair();
  using client = new FramedConn(near);
  using server = new FramedConn(far);
  const info = { id: 1, peer: "127.0.0.1:50000", address: "127.0.0.1", connectedAt: Date.now() };
  const last = chat.history.lastId;
  const startedAt = performance.now();
  const conversation = chat.handler(server, info);
  const [token] = chat.tokens;
  await client.send(JSON.stringify({ type: "hello", version: PROTOCOL_VERSION, token, ...hello }));
  for await (const text of client) {
    const message = parseServerMessage(text);
    if (message?.type === (last === 0 ? "welcome" : "message")) {
      if (last === 0 || (message as { id: number }).id === last) break;
    }
  }
  const tookMs = performance.now() - startedAt;
  await client.closeWrite();
  await conversation;
  return tookMs;
}

function fill(history: HistoryStore, messages: number): void {
  for (let id = history.lastId; id < messages; id = history.lastId) {
    const batch = Array.from({ length: Math.min(APPEND_AT_ONCE, messages - id) }, (_, i) => ({
      sender: { id: 1, name: "member_0" },
      ref: `ref_${String(id + i).padStart(10, "0")}`,
      text: "x".repeat(64),
      at: id + i,
    }));
    history.append(batch);
  }
}

async function historyRow(chat: BenchChat, messages: number): Promise<Row> {
  fill(chat.history, messages);
  const times = { join: [] as number[], since: [] as number[] };
  const since = Math.max(0, messages - MISSED);
  for (let i = 0; i < JOINS; i++) {
    times.join.push(await joinMs(chat, { history: 50 }));
    times.since.push(await joinMs(chat, { since }));
  }
  return [messages, median(times.join), median(times.since)];
}

/** Every row; one that cannot be measured here is told and left out. */
async function rowsOf(
  sizes: number[],
  progress: Progress,
  measure: (size: number) => Promise<Row>,
): Promise<Row[]> {
  const rows: Row[] = [];
  for (const size of sizes) {
    try {
      rows.push(await measure(size));
    } catch (error) {
      console.error(`${size} could not be measured: ${(error as Error).message}`);
    }
    progress.step();
  }
  return rows;
}

/** A section whose numbers are ratios to those of the row of size `base`. */
function section(title: string, head: string[], rows: Row[], base: number, note: string): string {
  const [, ...bases] = rows.find(([size]) => size === base) ?? rows[0] ?? [0];
  const cells = rows.map(([size, ...values]) => [
    size.toLocaleString("en"),
    ...values.map((value, i) => short(value / bases[i]!)),
  ]);
  return `## ${title}\n\n${note}\n\n${table([head, ...cells])}\n`;
}

const COMMAND = "deno run --allow-net=127.0.0.1 --allow-run=deno --allow-read=/tmp \\\n" +
  "  --allow-write=/tmp tools/bench/growth.ts > tools/bench/RESULTS.md\ndeno fmt tools/bench/RESULTS.md";

/** Measures everything and gives the page. */
export async function results(): Promise<string> {
  const steps = CONNECTIONS.length + BODY_BYTES.length + MEMBERS.length + HISTORY.length;
  await using progress = new Progress(steps);
  const connections = await rowsOf(CONNECTIONS, progress, connectionsRow);
  const sizes = await rowsOf(BODY_BYTES, progress, sizeRow);
  const members = await rowsOf(MEMBERS, progress, membersRow);
  using folder = temporaryFolder();
  using chat = await openBenchChat(folder.path, 1);
  const history = await rowsOf(HISTORY, progress, (size) => historyRow(chat, size));
  const { os, arch } = Deno.build;
  return [
    "# How cost grows\n",
    `Every number is a ratio to the row with 1.00, measured on ${os} ${arch} with ` +
    `${navigator.hardwareConcurrency} cores and Deno ${Deno.version.deno}, ` +
    `${new Date().toISOString().slice(0, 10)}; medians, on a shared machine: ` +
    "differences under 25 % are noise. Server and clients are two processes on the same cores. Made by\n",
    `\`\`\`sh\n${COMMAND}\n\`\`\`\n`,
    section(
      "Connections",
      ["idle connections", "memory of each", "rate of 8 others"],
      connections,
      MEASURABLE,
      "Open connections that have spoken once and are silent: the memory the server holds for each of them, and the " +
        "rate of 8 more connections in ping-pong, 128 B. The memory of fewer than 1,000 is too little to tell.",
    ),
    section(
      "Message size",
      ["bytes", "messages a second", "bytes a second"],
      sizes,
      16,
      "8 connections in ping-pong, texts.",
    ),
    section(
      "Members",
      ["members", "messages a second", "deliveries a second"],
      members,
      10,
      "A broadcast through `Room` and `Outbox`, 128 B, 16 at once; the next 16 when every member has them.",
    ),
    section(
      "History",
      ["messages stored", "time to join", "time of `since`"],
      history,
      1000,
      `The time until a newcomer has the last 50 messages, and until one who comes back has the ${MISSED} it missed, ` +
        "with the log-in by token.",
    ),
  ].join("\n");
}

if (import.meta.main) console.log((await results()).trimEnd());
