/**
 * How cost grows with connections, message size, members and history. Writes Markdown; `tools/bench/RESULTS.md` is made by
 *
 * ```sh
 * deno run -A tools/bench/growth.ts > tools/bench/RESULTS.md
 * deno fmt tools/bench/RESULTS.md
 * ```
 *
 * 10,000 connections need that many descriptors in each of two processes (`ulimit -n 20000`).
 *
 * @module
 */
import { ChatClient } from "../shared/chat_client.ts";
import { NO_FLOOD_CONTROL, ServerProcess } from "../shared/server_process.ts";
import { ChildProgram } from "../shared/program.ts";
import type { LoadJob, LoadResult } from "./load_cases.ts";
import { median, short, table } from "./report.ts";

const CONNECTIONS = [1, 10, 100, 1000, 10_000];
const BODY_BYTES = [16, 256, 4096, 65_536, 1_048_576];
const MEMBERS = [10, 100, 500, 1000, 2000];
const HISTORY = [0, 1000, 10_000, 100_000];
// The memory of fewer connections drowns in what the garbage collector does.
const MEASURABLE = 1000;
const ROUNDS = 3;
const SECONDS = 0.5;
const SAY_AT_ONCE = 1000;
const JOINS = 50;
const MISSED = 100;

/** What was measured at one size: a number for each column. */
type Row = [size: number, ...columns: number[]];

/** An echo or broadcast server of ours, and a client that loads it. */
interface Load extends AsyncDisposable {
  server: ChildProgram;
  /** Does a job; rounds are for the caller. */
  run(job: Omit<LoadJob, "port">): Promise<LoadResult>;
}

async function startLoad(mode: "echo" | "fan"): Promise<Load> {
  const server = ChildProgram.deno(new URL("our_server.ts", import.meta.url), mode);
  const client = ChildProgram.deno(new URL("load_client.ts", import.meta.url));
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

/** A chat whose history grows, and a member of it. */
interface Chat {
  server: ServerProcess;
  author: ChatClient;
  token: string;
  last: number;
}

/** Lets the member in and waits until it has the newest message; milliseconds. */
async function joinMs({ server, token, last }: Chat, hello: object): Promise<number> {
  const startedAt = performance.now();
  using client = await ChatClient.connect(server.port);
  await client.resume(token, hello);
  while (last > 0 && (await client.until("message")).id < last);
  return performance.now() - startedAt;
}

async function historyRow(chat: Chat, messages: number): Promise<Row> {
  while (chat.last < messages) {
    const more = Math.min(SAY_AT_ONCE, messages - chat.last);
    for (let i = 0; i < more; i++) {
      chat.author.send({ type: "say", ref: `${chat.last + i}`, text: "x".repeat(64) });
    }
    for (let i = 0; i < more; i++) chat.last = (await chat.author.until("said")).id;
    chat.author.received.length = 0;
  }
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
  measure: (size: number) => Promise<Row>,
): Promise<Row[]> {
  const rows: Row[] = [];
  for (const size of sizes) {
    try {
      rows.push(await measure(size));
    } catch (error) {
      console.error(`${size} could not be measured: ${(error as Error).message}`);
    }
    Deno.stderr.writeSync(new TextEncoder().encode("."));
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

const COMMAND = "deno run -A tools/bench/growth.ts > tools/bench/RESULTS.md\n" +
  "deno fmt tools/bench/RESULTS.md";

/** What each section says before its table. */
const NOTES = {
  connections:
    "Open connections that have spoken once and are silent: the memory the server holds for each of them, and the " +
    "rate of 8 more connections in ping-pong, 128 B. The memory of fewer than 1,000 is too little to tell.",
  size: "8 connections in ping-pong, texts.",
  members:
    "A broadcast through `Room` and `Outbox`, 128 B, 16 at once; the next 16 when every member has them.",
  history:
    `The time until a newcomer has the last 50 messages, and until one who comes back has the ${MISSED} it missed, ` +
    "with the log-in by token.",
};

async function historyRows(): Promise<Row[]> {
  await using server = await ServerProcess.start("chat", NO_FLOOD_CONTROL);
  using author = await ChatClient.connect(server.port);
  const chat = { server, author, token: await author.register("author"), last: 0 };
  return await rowsOf(HISTORY, (size) => historyRow(chat, size));
}

/** Measures everything and gives the page. */
async function results(): Promise<string> {
  const connections = await rowsOf(CONNECTIONS, connectionsRow);
  const sizes = await rowsOf(BODY_BYTES, sizeRow);
  const members = await rowsOf(MEMBERS, membersRow);
  const history = await historyRows();
  const { os, arch } = Deno.build;
  const heads = {
    connections: ["idle connections", "memory of each", "rate of 8 others"],
    size: ["bytes", "messages a second", "bytes a second"],
    members: ["members", "messages a second", "deliveries a second"],
    history: ["messages stored", "time to join", "time of `since`"],
  };
  return [
    "# How cost grows\n",
    `Every number is a ratio to the row with 1.00, measured on ${os} ${arch} with ` +
    `${navigator.hardwareConcurrency} cores and Deno ${Deno.version.deno}, ` +
    `${new Date().toISOString().slice(0, 10)}; medians, on a shared machine: ` +
    "differences under 25 % are noise. Server and clients are processes on the same cores. Made by\n",
    `\`\`\`sh\n${COMMAND}\n\`\`\`\n`,
    section("Connections", heads.connections, connections, MEASURABLE, NOTES.connections),
    section("Message size", heads.size, sizes, 16, NOTES.size),
    section("Members", heads.members, members, 10, NOTES.members),
    section("History", heads.history, history, 1000, NOTES.history),
  ].join("\n");
}

if (import.meta.main) console.log((await results()).trimEnd());
