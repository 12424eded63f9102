/**
 * One direction of one connection through the fault proxy: from a socket, through the faults, to a socket.
 *
 * @module
 */

import type { AppliedFault, FaultStream } from "./fault_stream.ts";
import type { CutBy, Faults } from "./fault_options.ts";
import { FrameCursor } from "./frame_cursor.ts";
import { sleep } from "../base/within.ts";

/** An end of a connection as a link needs it: a socket of `node:net` is one. */
export interface LinkEnd {
  /** What arrives, until the sender finishes; it throws when the sender has reset the connection. */
  iterator(options: { destroyOnReturn: boolean }): AsyncIterable<Uint8Array>;
  /** Sends bytes; then, or when that fails, calls back. */
  write(bytes: Uint8Array, onWritten: () => void): unknown;
  /** Finishes sending. */
  end(): unknown;
}

/** What a link reports: these bytes, which complete `frames` frames, were written at once; or a fault was applied. */
export type LinkEvent = { type: "delivered"; bytes: Uint8Array; frames: number } | AppliedFault;

/** How a link ended: the sender finished and that was passed on, it was stopped, or it was cut. */
export type LinkOutcome = "finished" | "stopped" | CutBy;

// What a delay may hold back; beyond it the sender has to wait. A chunk costs memory beside its bytes.
const MAX_QUEUED_BYTES = 4 * 1024 * 1024;
const CHUNK_BYTES = 1024;

/** Carries bytes from `source` to `target` until the sender finishes, a fault cuts, or `stop`. */
export class FaultLink {
  readonly #source: LinkEnd;
  readonly #target: LinkEnd;
  readonly #stream: FaultStream;
  readonly #onEvent: (event: LinkEvent) => void;
  readonly #now: () => number;
  readonly #cursor = new FrameCursor();
  #queue: { bytes: Uint8Array; arrivedAt: number }[] = [];
  #queuedBytes = 0;
  #sourceEnd: "open" | "finished" | "reset" = "open";
  #discarding = false;
  #stopped = false;
  #dueAt = 0;
  #news = false;
  #wakeDeliverer: () => void = () => {};
  #sleep = new AbortController();
  #wakeReceiver: () => void = () => {};

  /** Made before it runs, so that its faults can be changed at any time. */
  constructor(
    source: LinkEnd,
    target: LinkEnd,
    stream: FaultStream,
    onEvent: (event: LinkEvent) => void,
    now: () => number = () => performance.now(),
  ) {
    this.#source = source;
    this.#target = target;
    this.#stream = stream;
    this.#onEvent = onEvent;
    this.#now = now;
  }

  /** Changes the faults from the next byte on; what waits for a delay or a stall goes at once. */
  set faults(faults: Faults) {
    this.#stream.faults = faults;
    this.#dueAt = 0;
    this.#sleep.abort();
    this.#tell();
  }

  /** Ends the link; neither side is told. */
  stop(): void {
    this.#stopped = true;
    this.#sleep.abort();
    this.#wakeReceiver();
    this.#tell();
  }

  /** Runs the link, once. Never rejects: whatever a socket does is an outcome. */
  async run(): Promise<LinkOutcome> {
    const receiving = this.#receive();
    const end = await this.#deliverAll();
    this.#discarding = true;
    this.#wakeReceiver();
    if (end === "finished" || end === "half-close") this.#target.end();
    if (end === "half-close") await receiving;
    return end;
  }

  async #receive(): Promise<void> {
    try {
      for await (const bytes of this.#source.iterator({ destroyOnReturn: false })) {
        if (this.#discarding) continue;
        this.#queue.push({ bytes, arrivedAt: this.#now() });
        this.#queuedBytes += bytes.length + CHUNK_BYTES;
        this.#tell();
        if (this.#queuedBytes < MAX_QUEUED_BYTES) continue;
        await new Promise<void>((resolve) => this.#wakeReceiver = resolve);
      }
      this.#sourceEnd = "finished";
    } catch {
      // Whether the sender reset the connection or the proxy did, all that is left is to pass it on.
      this.#sourceEnd = "reset";
    }
    this.#tell();
  }

  async #deliverAll(): Promise<LinkOutcome> {
    for (;;) {
      const { bytes, arrivedAt } = await this.#next();
      // Also without bytes: it may be time to cut.
      const cut = await this.#deliver(bytes, arrivedAt);
      if (this.#stopped) return "stopped";
      if (cut) return cut;
      if (this.#sourceEnd === "reset") return "reset";
      if (this.#queue.length > 0) continue;
      if (this.#sourceEnd === "finished") return "finished";
      if (!this.#news) await new Promise<void>((resolve) => this.#wakeDeliverer = resolve);
      this.#news = false;
    }
  }

  async #next(): Promise<{ bytes: Uint8Array; arrivedAt: number }> {
    const first = this.#queue[0];
    if (first === undefined) return { bytes: new Uint8Array(), arrivedAt: 0 };
    const { mergeMs = 0 } = this.#stream.faults;
    await this.#sleepUntil(first.arrivedAt + mergeMs);
    const taken = this.#queue.splice(0, mergeMs > 0 ? Infinity : 1);
    const bytes = taken.length === 1 ? first.bytes : concat(taken.map((chunk) => chunk.bytes));
    if (taken.length > 1) {
      this.#onEvent({ type: "fault", fault: "merge", at: 0, bytes: bytes.length });
    }
    this.#queuedBytes -= bytes.length + taken.length * CHUNK_BYTES;
    this.#wakeReceiver();
    return { bytes, arrivedAt: first.arrivedAt };
  }

  async #deliver(bytes: Uint8Array, arrivedAt: number): Promise<CutBy | undefined> {
    for (const action of this.#stream.push(bytes)) {
      if (this.#stopped) break;
      if (action.type === "cut") return action.by;
      if (action.type === "fault") {
        this.#onEvent(action);
        continue;
      }
      this.#dueAt = Math.max(this.#dueAt, arrivedAt + action.latencyMs) + action.spacingMs;
      await this.#sleepUntil(this.#dueAt);
      if (!this.#stopped) await this.#write(action.bytes);
    }
    return undefined;
  }

  /** A failed write needs no answer here: the target's own reading side learns of it too. */
  async #write(bytes: Uint8Array): Promise<void> {
    const { frame } = this.#cursor.position;
    for (const _ of this.#cursor.advance(bytes));
    this.#onEvent({ type: "delivered", bytes, frames: this.#cursor.position.frame - frame });
    await new Promise<void>((resolve) => this.#target.write(bytes, () => resolve()));
  }

  async #sleepUntil(dueAt: number): Promise<void> {
    const ms = dueAt - this.#now();
    if (ms <= 0 || this.#stopped) return;
    this.#sleep = new AbortController();
    await sleep(ms, this.#sleep.signal).catch(() => {/* It is time to look again. */});
  }

  #tell(): void {
    this.#news = true;
    this.#wakeDeliverer();
  }
}

function concat(chunks: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
