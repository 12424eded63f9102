/**
 * The sending half of a connection: one writer, everything in order, as few writes as possible.
 *
 * @module
 */
import { type Flushable, flushThisTurn } from "./flush_turn.ts";
import { FrameEncoder } from "./frame_encoder.ts";
import type { FrameOptions } from "./frame.ts";

/** Where the bytes go: the part of a `Deno.Conn` that a queue needs. */
export type Writer = Pick<Deno.Conn, "write">;

/** Options for {@linkcode WriteQueue}. */
export interface WriteQueueOptions extends FrameOptions {
  /**
   * Above so many queued bytes, a sender waits until the operating system has taken enough.
   *
   * @default {65536}
   */
  highWaterMarkBytes?: number;
}

const DONE = Promise.resolve();

/**
 * Queues frames and writes them: at the end of the turn, when it is told to, or when enough are queued.
 *
 * The first error of a write is final: what was queued is dropped, and every later call rejects with that error.
 */
export class WriteQueue implements Flushable {
  /** The frames not yet handed to a write. */
  readonly frames: FrameEncoder;
  readonly #writer: Writer;
  readonly #highWaterMarkBytes: number;
  #writing = false;
  #scheduled = false;
  #failure: { error: unknown } | undefined;
  /** Settles when nothing is queued any more; made only when somebody waits. */
  #drained: PromiseWithResolvers<void> | undefined;

  /** Makes an empty queue in front of `writer`, which nobody else may write to. */
  constructor(writer: Writer, options: WriteQueueOptions = {}) {
    this.frames = new FrameEncoder(options);
    this.#writer = writer;
    this.#highWaterMarkBytes = options.highWaterMarkBytes ?? 64 * 1024;
  }

  /** Whether every byte is with the operating system, or never will be. */
  get idle(): boolean {
    return !this.#writing && this.frames.queuedBytes === 0;
  }

  /** Throws the error of the write that failed, if one did. */
  check(): void {
    if (this.#failure) throw this.#failure.error;
  }

  /** To be called after frames were pushed: settles when a sender may go on. */
  pushed(): Promise<void> {
    if (this.frames.queuedBytes >= this.#highWaterMarkBytes) return this.flush();
    if (!this.#scheduled && !this.#writing) {
      this.#scheduled = true;
      flushThisTurn(this);
    }
    return DONE;
  }

  /** Writes without waiting for the end of the turn; settles when the operating system has taken everything. */
  flush(): Promise<void> {
    if (this.#failure) return Promise.reject(this.#failure.error);
    if (this.idle) return DONE;
    this.#drained ??= Promise.withResolvers();
    this.startWriting();
    return this.#drained.promise;
  }

  /** Starts to write what is queued, if no write is under way. */
  startWriting(): void {
    this.#scheduled = false;
    if (this.#writing || this.frames.queuedBytes === 0) return;
    this.#writing = true;
    this.#writeAll();
  }

  /** Accepts no more: `check` throws `error` from now on. What is queued is still written. */
  refuse(error: unknown): void {
    this.#failure ??= { error };
  }

  /** Drops what is queued: every later call rejects with `error`. */
  fail(error: unknown): void {
    this.refuse(error);
    this.frames.clear();
    const drained = this.#drained;
    this.#drained = undefined;
    // Whoever waits is told; where nobody does, the next send tells.
    drained?.promise.catch(() => {});
    drained?.reject(error);
  }

  async #writeAll(): Promise<void> {
    try {
      while (this.frames.queuedBytes > 0) await this.#writeTaken();
      this.#writing = false;
      this.#drained?.resolve();
      this.#drained = undefined;
    } catch (error) {
      this.#writing = false;
      this.fail(error);
    }
  }

  async #writeTaken(): Promise<void> {
    const taken = this.frames.take();
    let written = 0;
    // A write may take less than it was given: 8 MB went 3.9 MB at a time.
    while (written < taken.length) {
      const bytes = await this.#writer.write(written ? taken.subarray(written) : taken);
      if (bytes === 0) throw new Deno.errors.WriteZero("Cannot send: a write took no bytes");
      written += bytes;
    }
    FrameEncoder.release(taken);
  }
}
