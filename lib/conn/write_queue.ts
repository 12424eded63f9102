/**
 * The sending half of a connection: one writer, everything in order, as few writes as possible.
 *
 * @module
 */
import { type Flushable, flushThisTurn } from "./flush_turn.ts";
import { InactivityTimer, type Progressing } from "../base/inactivity_timer.ts";
import { FrameEncoder, type FrameEncoderOptions } from "../frame/frame_encoder.ts";
import { Latch } from "../base/latch.ts";

/** Where the bytes go: the part of a `Deno.Conn` that a queue needs. */
export type Writer = Pick<Deno.Conn, "write" | "closeWrite">;

/** Options for {@linkcode WriteQueue}. */
export interface WriteQueueOptions extends FrameEncoderOptions {
  /**
   * With this many bytes queued or more, `send` settles when they are written. Bytes already handed to a write do not
   * count.
   *
   * @default {65536}
   */
  highWaterMarkBytes?: number;
  /**
   * How long the peer may take none of the bytes that are queued, in milliseconds; the connection is lost up to a quarter
   * later, never earlier. 0 waits for ever.
   *
   * @default {0}
   */
  sendTimeoutMs?: number;
}

const DONE = Promise.resolve();
const NOTHING = new Uint8Array(0);

/**
 * Queues frames and writes them: at the end of the turn, at `flush`, or when enough are queued.
 *
 * The first error of a write is final: what was queued is dropped, and every later call rejects with that error. Such a
 * rejection is no unhandled one, because the next call gives it again.
 */
export class WriteQueue implements Flushable, Progressing, Disposable {
  /** The frames not yet handed to a write. */
  readonly #frames: FrameEncoder;
  readonly #writer: Writer;
  readonly #highWaterMarkBytes: number;
  readonly #sendTimeoutMs: number;
  readonly #onTimeout: (error: Error) => void;
  #timer: InactivityTimer | undefined;
  #writing = false;
  #closingWrite = false;
  #scheduled = false;
  /** What is being written, and how many of its bytes were not taken yet. */
  #batch: Uint8Array = NOTHING;
  #inFlightBytes = 0;
  #writtenBytes = 0;
  /** Why nothing more is accepted. */
  #refusal: { error: unknown } | undefined;
  /** Why nothing more is written. */
  #failure: { error: unknown } | undefined;
  /** Opens when the batch being written is; made, like the next, when something waits for it. */
  #written: Latch | undefined;
  /** Opens when the frames queued now are written. */
  #queuedWritten: Latch | undefined;

  /**
   * Makes an empty queue in front of `writer`, which nothing else may write to.
   *
   * @param onTimeout Called when `sendTimeoutMs` has passed. The queue has failed then, and a write may still be pending.
   */
  constructor(
    writer: Writer,
    options: WriteQueueOptions = {},
    onTimeout: (error: Error) => void = () => {},
  ) {
    this.#frames = new FrameEncoder(options);
    this.#writer = writer;
    this.#highWaterMarkBytes = options.highWaterMarkBytes ?? 64 * 1024;
    this.#sendTimeoutMs = options.sendTimeoutMs ?? 0;
    this.#onTimeout = onTimeout;
    if (this.#sendTimeoutMs > 0) this.#timer = new InactivityTimer(this.#sendTimeoutMs, this);
  }

  /** Whether every byte is with the operating system, or never will be. */
  get idle(): boolean {
    return this.#failure !== undefined || !this.#writing && this.#frames.queuedBytes === 0;
  }

  /** Whether `error` is what a write failed with. */
  failedWith(error: unknown): boolean {
    return this.#failure !== undefined && this.#failure.error === error;
  }

  /** How many bytes the operating system has not taken yet, as the encoder counts those that no write carries. */
  get queuedBytes(): number {
    return this.#frames.queuedBytes + this.#inFlightBytes;
  }

  /** How many bytes the operating system has taken since the start, headers included. */
  get writtenBytes(): number {
    return this.#writtenBytes;
  }

  /** The longest body that is accepted from now on, in bytes. */
  set maxBodyBytes(maxBodyBytes: number) {
    this.#frames.maxBodyBytes = maxBodyBytes;
  }

  /** Queues one text; settles when the sender may go on. */
  send(text: string): Promise<void> {
    if (this.#refusal) return rejected(this.#refusal.error);
    try {
      this.#frames.push(text);
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#queued();
  }

  /** Queues a copy of one message given as bytes; settles when the sender may go on. */
  sendBytes(body: Uint8Array): Promise<void> {
    if (this.#refusal) return rejected(this.#refusal.error);
    try {
      this.#frames.pushBytes(body);
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#queued();
  }

  /** Queues one whole frame, whose bytes must not change any more; settles when the sender may go on. */
  sendFrame(frame: Uint8Array): Promise<void> {
    if (this.#refusal) return rejected(this.#refusal.error);
    this.#frames.pushFrame(frame);
    return this.#queued();
  }

  /** Queues a copy of bytes that are frames already, or no frames at all; settles when the writer may go on. */
  write(bytes: Uint8Array): Promise<void> {
    if (this.#refusal) return rejected(this.#refusal.error);
    this.#frames.pushRaw(bytes);
    return this.#queued();
  }

  /** Writes without waiting for the end of the turn; settles when the operating system has taken what is queued now. */
  flush(): Promise<void> {
    return this.#refusal ? rejected(this.#refusal.error) : this.drain();
  }

  /** Accepts no more: every later call rejects with `error`. What was accepted is still written. */
  refuse(error: unknown): void {
    this.#refusal ??= { error };
  }

  /** Like `flush`, but also after `refuse`. */
  drain(): Promise<void> {
    if (this.#failure) return rejected(this.#failure.error);
    if (this.idle) return DONE;
    this.startWriting();
    if (this.#frames.queuedBytes === 0) return (this.#written ??= new Latch()).promise;
    return (this.#queuedWritten ??= new Latch()).promise;
  }

  /** Accepts no more, and half-closes the connection when what was accepted is written. */
  async closeWrite(): Promise<void> {
    const flushed = this.flush();
    this.refuse(new Deno.errors.BrokenPipe("Cannot send: this side has finished"));
    await flushed;
    this.#closingWrite = true;
    try {
      await this.#writer.closeWrite();
    } catch (error) {
      throw this.#failure ? this.#failure.error : error;
    } finally {
      this.#closingWrite = false;
    }
  }

  /** Drops what is queued: every later call rejects with `error`. */
  fail(error: unknown): void {
    if (this.#failure) return;
    this.#failure = { error };
    this.refuse(error);
    this[Symbol.dispose]();
    this.#frames.clear();
    this.#inFlightBytes = 0;
    this.#written?.fail(error);
    this.#queuedWritten?.fail(error);
  }

  /** Stops the clock of `sendTimeoutMs`. */
  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
  }

  /** For the timer. */
  progress(): number {
    return this.idle && !this.#closingWrite ? NaN : this.#writtenBytes;
  }

  /** For the timer. */
  onInactive(): void {
    const error = new Deno.errors.TimedOut(
      `Cannot send: the peer took nothing for ${this.#sendTimeoutMs} ms`,
    );
    this.fail(error);
    this.#onTimeout(error);
  }

  /** Starts to write at the end of a turn. */
  endTurn(): boolean {
    this.#scheduled = false;
    return this.startWriting();
  }

  /** Starts to write what is queued, and returns whether it did: not while a write is under way. */
  startWriting(): boolean {
    if (this.#writing || this.#frames.queuedBytes === 0) return false;
    this.#writing = true;
    this.#written = this.#queuedWritten;
    this.#queuedWritten = undefined;
    this.#batch = this.#frames.take();
    this.#inFlightBytes = this.#batch.length;
    this.#write();
    return true;
  }

  #queued(): Promise<void> {
    if (this.#frames.queuedBytes >= this.#highWaterMarkBytes) return this.drain();
    if (!this.#scheduled && !this.#writing) {
      this.#scheduled = true;
      flushThisTurn(this);
    }
    return DONE;
  }

  /** Hands the rest of the batch to the operating system, which may take less than it is given: 3.9 of 8 MB, once. */
  #write(): void {
    const at = this.#batch.length - this.#inFlightBytes;
    const rest = at === 0 ? this.#batch : this.#batch.subarray(at);
    try {
      this.#writer.write(rest).then(
        (bytes) => this.#onTaken(bytes, rest.length),
        (error) => this.#onFailure(error),
      );
    } catch (error) {
      // Not before a `flush` waits for this write: as if its promise had rejected.
      queueMicrotask(() => this.#onFailure(error));
    }
  }

  #onTaken(bytes: number, givenBytes: number): void {
    const error = checkTaken(bytes, givenBytes);
    if (error) return this.#onFailure(error);
    this.#writtenBytes += bytes;
    // It is 0 already if what is queued was dropped meanwhile.
    this.#inFlightBytes = Math.max(this.#inFlightBytes - bytes, 0);
    if (this.#inFlightBytes > 0) return this.#write();
    this.#writeEnded();
    this.#written?.open();
    this.#written = undefined;
    this.startWriting();
  }

  #onFailure(error: unknown): void {
    this.fail(error);
    this.#writeEnded();
  }

  #writeEnded(): void {
    this.#frames.release();
    this.#batch = NOTHING;
    this.#writing = false;
  }
}

/** What is wrong with the count that a write gave: a wrapped connection may be anybody's code. */
function checkTaken(bytes: number, givenBytes: number): Error | undefined {
  if (Number.isInteger(bytes) && bytes > 0 && bytes <= givenBytes) return undefined;
  if (bytes === 0) return new Deno.errors.WriteZero("Cannot send: a write took no bytes");
  return new RangeError(`Cannot send: a write of ${givenBytes} bytes returned ${bytes}`);
}

/** A rejection that is not reported as unhandled. */
function rejected(error: unknown): Promise<never> {
  const promise = Promise.reject(error);
  promise.catch(() => {});
  return promise;
}
