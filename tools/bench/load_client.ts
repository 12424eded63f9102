/**
 * The load client: a program of its own, so that what it costs is not taken from the server's thread.
 *
 * It is as cheap as TypeScript lets it be: batches made beforehand, one large read for many frames, of which it looks
 * at the headers alone. It is one thread all the same. Where a server is faster than that, the rate is the client's; so
 * it reports how busy it was.
 *
 * @module
 */
import { cpuUsage } from "node:process";
import { HEADER_BYTES, writeHeader } from "../../lib/frame/frame.ts";
import { answerLines } from "../shared/program.ts";
import { FrameCounter } from "./frame_counter.ts";
import type { LoadJob, LoadResult } from "./load_cases.ts";
import { percentile } from "./report.ts";

// So many connections are begun at once: fewer than wait in any server's backlog.
const CONNECT_AT_ONCE = 100;
// A server that answers no more is given up; before it comes to that, connections may have to be opened.
const PATIENCE_MS = 10_000;
const MIN_READ_BYTES = 4 * 1024;
const MAX_READ_BYTES = 256 * 1024;

/** Counts within the measured time only. */
class Meter {
  readonly #from: number;
  readonly #until: number;
  readonly #cpuAtStart = cpuUsage();
  readonly #madeAt = performance.now();
  #messages = 0;
  readonly #latenciesMs: number[] = [];

  constructor(seconds: number) {
    this.#from = this.#madeAt + seconds * 1000 / 3;
    this.#until = this.#from + seconds * 1000;
  }

  get isOver(): boolean {
    return performance.now() >= this.#until;
  }

  /** Counts `messages` messages that came now, to what was sent at `sentAt`. */
  received(messages: number, sentAt: number): void {
    const now = performance.now();
    if (now < this.#from || now >= this.#until) return;
    this.#messages += messages;
    this.#latenciesMs.push(now - sentAt);
  }

  result(): LoadResult {
    const { user, system } = cpuUsage(this.#cpuAtStart);
    return {
      rate: this.#messages / (this.#until - this.#from) * 1000,
      p50Ms: percentile(this.#latenciesMs, 0.5),
      p99Ms: percentile(this.#latenciesMs, 0.99),
      clientCpu: (user + system) / 1000 / (performance.now() - this.#madeAt),
    };
  }
}

/** One connection and what it sends. */
class LoadConn {
  readonly #conn: Deno.Conn;
  readonly #job: LoadJob;
  readonly #counter: FrameCounter;
  #buffer: Uint8Array | undefined;

  constructor(conn: Deno.Conn, job: LoadJob) {
    this.#conn = conn;
    this.#job = job;
    this.#counter = new FrameCounter(job.bodyBytes);
  }

  /** Sends so many messages out of a batch that was made beforehand. */
  async send(batch: Uint8Array, messages: number): Promise<void> {
    let rest = batch.subarray(0, messages * (HEADER_BYTES + this.#job.bodyBytes));
    while (rest.length > 0) rest = rest.subarray(await this.#conn.write(rest));
  }

  /** Waits for the next bytes, and returns how many messages they complete. */
  async receive(): Promise<number> {
    // Each connection has its own: several reads may be done before any of them is looked at.
    const buffer = this.#buffer ??= new Uint8Array(bufferBytesFor(this.#job));
    const bytes = await this.#conn.read(buffer);
    if (bytes === null) throw new Error("The server closed the connection");
    return this.#counter.count(buffer.subarray(0, bytes));
  }

  /** Waits until so many messages have come. */
  async receiveAll(messages: number): Promise<void> {
    while (messages > 0) messages -= await this.receive();
  }

  [Symbol.dispose](): void {
    this.#conn.close();
  }
}

/** Room for all that can be on its way, within limits. */
function bufferBytesFor({ window, bodyBytes }: LoadJob): number {
  const wanted = window * (HEADER_BYTES + bodyBytes);
  return Math.min(Math.max(wanted, MIN_READ_BYTES), MAX_READ_BYTES);
}

/** So many frames of the same length, one after the other. */
function batchOf({ window, bodyBytes }: LoadJob): Uint8Array {
  const frameBytes = HEADER_BYTES + bodyBytes;
  const batch = new Uint8Array(window * frameBytes).fill("a".charCodeAt(0));
  for (let at = 0; at < batch.length; at += frameBytes) writeHeader(batch, at, bodyBytes);
  return batch;
}

async function open(job: LoadJob): Promise<LoadConn> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port: job.port });
  conn.setNoDelay(true);
  return new LoadConn(conn, job);
}

/** Opens connections into `conns`, which the caller closes whatever happens. */
async function openAll(job: LoadJob, conns: DisposableStack): Promise<LoadConn[]> {
  const opened: LoadConn[] = [];
  while (opened.length < job.connections) {
    const more = Math.min(CONNECT_AT_ONCE, job.connections - opened.length);
    const results = await Promise.allSettled(Array.from({ length: more }, () => open(job)));
    for (const result of results) {
      if (result.status === "fulfilled") opened.push(conns.use(result.value));
    }
    const failed = results.find((result) => result.status === "rejected");
    if (failed) throw failed.reason;
  }
  return opened;
}

/** Opens connections each of which has been answered once: so the server has accepted all of them. */
async function greetAll(job: LoadJob, conns: DisposableStack): Promise<LoadConn[]> {
  const batch = batchOf(job);
  const opened = await openAll(job, conns);
  for (const conn of opened) {
    await conn.send(batch, 1);
    await conn.receiveAll(1);
  }
  return opened;
}

/** Keeps `window` messages on their way until the time is over. */
async function converse(conn: LoadConn, job: LoadJob, batch: Uint8Array, meter: Meter) {
  let sentAt = performance.now();
  await conn.send(batch, job.window);
  while (!meter.isOver) {
    const messages = await conn.receive();
    if (messages === 0) continue;
    meter.received(messages, sentAt);
    sentAt = performance.now();
    await conn.send(batch, messages);
  }
}

async function echo(job: LoadJob, conns: DisposableStack): Promise<LoadResult> {
  const batch = batchOf(job);
  const opened = await openAll(job, conns);
  const meter = new Meter(job.seconds);
  await Promise.all(opened.map((conn) => converse(conn, job, batch, meter)));
  return meter.result();
}

async function churn(job: LoadJob): Promise<LoadResult> {
  const batch = batchOf(job);
  const meter = new Meter(job.seconds);
  await Promise.all(Array.from({ length: job.connections }, async () => {
    while (!meter.isOver) {
      const startedAt = performance.now();
      using conn = await open(job);
      await conn.send(batch, 1);
      await conn.receiveAll(1);
      meter.received(1, startedAt);
    }
  }));
  return meter.result();
}

async function fan(job: LoadJob, conns: DisposableStack): Promise<LoadResult> {
  const batch = batchOf(job);
  const opened = await greetAll(job, conns);
  const meter = new Meter(job.seconds);
  while (!meter.isOver) {
    const sentAt = performance.now();
    await opened[0]!.send(batch, job.window);
    await Promise.all(opened.map((conn) => conn.receiveAll(job.window)));
    meter.received(job.window * opened.length, sentAt);
  }
  return meter.result();
}

/** Closes what the last `hold` held, and opens connections that speak once and then are silent. */
async function hold(job: LoadJob): Promise<{ held: number }> {
  held[Symbol.dispose]();
  held = new DisposableStack();
  await greetAll(job, held);
  return { held: job.connections };
}

let held = new DisposableStack();
const KINDS = { echo, churn, fan, hold };

/** Does one job, within a time. */
async function work(job: LoadJob): Promise<LoadResult | { held: number }> {
  using conns = new DisposableStack();
  const patience = setTimeout(() => conns.dispose(), job.seconds * 2000 + PATIENCE_MS);
  try {
    return await KINDS[job.kind](job, conns);
  } finally {
    clearTimeout(patience);
  }
}

if (import.meta.main) {
  await answerLines((line) => work(JSON.parse(line)));
  held[Symbol.dispose]();
}
