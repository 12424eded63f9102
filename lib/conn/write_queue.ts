/**
 * The sending half of a connection: one writer, everything in order, as few writes as possible.
 *
 * @module
 */
import { InactivityTimer, type Progressing } from "../base/inactivity_timer.ts";
import { Latch } from "../base/latch.ts";
import { quiet } from "../base/within.ts";
import type { FramedConnOptions } from "./conn_options.ts";
import type { MessageEncoder } from "../frame/message_encoder.ts";
import { ChunkWriter, type Writer } from "./chunk_writer.ts";
import { type Flushable, flushThisTurn } from "../base/turns.ts";

const DONE = Promise.resolve();

/** Why a queue does not go on. */
export interface Failure {
  /** What later calls reject with. */
  readonly error: unknown;
}

/** What a queue belongs to. */
export interface QueueOwner {
  /** Called when `sendTimeoutMs` has passed, and the queue has failed. */
  onSendTimeout(error: Error): void;
}

/**
 * Queues frames and writes them: at the end of the turn, at `flush`, or when enough are queued.
 *
 * The first error of a write is final: what was queued is dropped, and every later call rejects with that error. Such a
 * rejection is no unhandled one, because the next call gives it again.
 */
export class WriteQueue extends ChunkWriter implements Flushable, Progressing, Disposable {
  /** Whether bytes that were queued have been dropped. */
  dropped = false;
  /** The frames not yet handed to a write. */
  readonly #frames: MessageEncoder;
  readonly #writer: Writer;
  readonly #highWaterMarkBytes: number;
  readonly #sendTimeoutMs: number;
  readonly #owner: QueueOwner | undefined;
  #timer: InactivityTimer | undefined;
  #closingWrite = false;
  #scheduled = false;
  /** Why nothing more is accepted. */
  #refusal: Failure | undefined;
  /** Why nothing more is written. */
  #failure: Failure | undefined;
  /** Opens when the chunk being written is; made, like the next, when something waits for it. */
  #written: Latch | undefined;
  /** Opens when the frames queued now are written. */
  #queuedWritten: Latch | undefined;

  /**
   * Makes an empty queue in front of `writer`, which nothing else may write to.
   *
   * @param owner Told of a write that is given up, which may still be pending.
   */
  constructor(
    writer: Writer,
    frames: MessageEncoder,
    options: FramedConnOptions = {},
    owner?: QueueOwner,
  ) {
    super(writer);
    this.#frames = frames;
    this.#writer = writer;
    this.#highWaterMarkBytes = options.highWaterMarkBytes ?? 64 * 1024;
    this.#sendTimeoutMs = options.sendTimeoutMs ?? 0;
    this.#owner = owner;
  }

  /** Whether every byte is with the operating system, or never will be. */
  get idle(): boolean {
    return this.#failure !== undefined || !this.writing && this.#frames.queuedBytes === 0;
  }

  /** Whether `error` is what a write failed with. */
  failedWith(error: unknown): boolean {
    return this.#failure !== undefined && this.#failure.error === error;
  }

  /** How many bytes the operating system has not taken yet, as the encoder counts those that no write carries. */
  get queuedBytes(): number {
    return this.#frames.queuedBytes + this.inFlightBytes;
  }

  /** The longest body that is accepted from now on, in bytes. */
  set maxBodyBytes(maxBodyBytes: number) {
    this.#frames.maxBodyBytes = maxBodyBytes;
  }

  /** Queues one text; settles when the sender may go on. */
  send(text: string): Promise<void> {
    return this.#push("push", text);
  }

  /** Queues a copy of one message given as bytes; settles when the sender may go on. */
  sendBytes(body: Uint8Array): Promise<void> {
    return this.#push("pushBytes", body);
  }

  /** Queues one whole frame, whose bytes must not change any more; settles when the sender may go on. It throws at once. */
  sendFrame(frame: Uint8Array): Promise<void> {
    if (this.#refusal) return quiet(Promise.reject(this.#refusal.error));
    this.#frames.pushFrame(frame);
    return this.#queued();
  }

  /** Queues a copy of bytes that are frames already, or no frames at all; settles when the writer may go on. */
  write(bytes: Uint8Array): Promise<void> {
    return this.#push("pushRaw", bytes);
  }

  /** Writes without waiting for the end of the turn; settles when the operating system has taken what is queued now. */
  flush(): Promise<void> {
    return this.#refusal ? quiet(Promise.reject(this.#refusal.error)) : this.drain();
  }

  /** Accepts no more: every later call rejects with its error. What was accepted is still written. */
  refuse(refusal: Failure): void {
    this.#refusal ??= refusal;
  }

  /** Like `flush`, but also after `refuse`. */
  drain(): Promise<void> {
    if (this.#failure) return quiet(Promise.reject(this.#failure.error));
    if (this.idle) return DONE;
    this.startWriting();
    if (this.#frames.queuedBytes === 0) return (this.#written ??= new Latch()).promise;
    return (this.#queuedWritten ??= new Latch()).promise;
  }

  /** Queues the announcement that no more will come; returns `false` where only a half-close announces it. */
  finish(): boolean {
    return this.#refusal === undefined && this.#frames.finish();
  }

  /** Accepts no more, and says so to the peer when what was accepted is written: in the stream, or by a half-close. */
  async closeWrite(): Promise<void> {
    const isTold = this.finish();
    const flushed = this.flush();
    this.refuse({ error: new Deno.errors.BrokenPipe("Cannot send: this side has finished") });
    await flushed;
    if (isTold) return;
    this.#closingWrite = true;
    this.#startTimer();
    try {
      await this.#writer.closeWrite();
    } catch (error) {
      throw this.#failure ? this.#failure.error : error;
    } finally {
      this.#closingWrite = false;
    }
  }

  /** Drops what is queued: every later call rejects with the error of `failure`. */
  fail(failure: Failure): void {
    if (this.#failure) return;
    this.dropped = !this.idle;
    this.#failure = failure;
    this.refuse(failure);
    this[Symbol.dispose]();
    this.#frames.clear();
    this.dropChunk();
    this.#written?.fail(failure.error);
    this.#queuedWritten?.fail(failure.error);
  }

  /** Stops the clock of `sendTimeoutMs`. */
  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
  }

  /** For the timer. An idle connection has none: the next write starts it again. */
  progress(): number | undefined {
    if (!this.idle || this.#closingWrite) return this.writtenBytes;
    this[Symbol.dispose]();
    return undefined;
  }

  /** For the timer. */
  onInactive(): void {
    const error = new Deno.errors.TimedOut(
      `Cannot send: the peer took nothing for ${this.#sendTimeoutMs} ms`,
    );
    this.fail({ error });
    this.#owner?.onSendTimeout(error);
  }

  /** Starts to write at the end of a turn. */
  endTurn(): boolean {
    this.#scheduled = false;
    return this.startWriting();
  }

  /** Starts to write what is queued, and returns whether it did: not while a write is under way. */
  startWriting(): boolean {
    if (this.writing || this.#frames.queuedBytes === 0) return false;
    this.#written = this.#queuedWritten;
    this.#queuedWritten = undefined;
    this.#startTimer();
    this.writeChunk(this.#frames.take());
    this.#frames.reportSent();
    return true;
  }

  #startTimer(): void {
    if (this.#sendTimeoutMs > 0) this.#timer ??= new InactivityTimer(this.#sendTimeoutMs, this);
  }

  #push<M extends "push" | "pushBytes" | "pushRaw">(
    method: M,
    message: Parameters<MessageEncoder[M]>[0],
  ): Promise<void> {
    if (this.#refusal) return quiet(Promise.reject(this.#refusal.error));
    try {
      this.#frames[method](message as never);
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#queued();
  }

  #queued(): Promise<void> {
    if (this.#frames.queuedBytes >= this.#highWaterMarkBytes) return this.drain();
    if (!this.#scheduled && !this.writing) {
      this.#scheduled = true;
      flushThisTurn(this);
    }
    return DONE;
  }

  /** The chunk is written: writes what was queued during the write. */
  protected override onWritten(): void {
    this.#frames.release();
    this.#written?.open();
    this.#written = undefined;
    this.startWriting();
  }

  /** Fails the queue. */
  protected override onWriteFailed(error: unknown): void {
    this.#frames.release();
    this.fail({ error });
  }
}
