/**
 * The sending half of a connection: one writer, everything in order, as few writes as possible.
 *
 * @module
 */
import { type Flushable, flushThisTurn } from "./flush_turn.ts";
import { FrameEncoder } from "../frame/frame_encoder.ts";
import { type FrameOptions, HEADER_BYTES } from "../frame/frame.ts";

/** Where the bytes go: the part of a `Deno.Conn` that a queue needs. */
export type Writer = Pick<Deno.Conn, "write">;

/** Options for {@linkcode WriteQueue}. */
export interface WriteQueueOptions extends FrameOptions {
  /**
   * With so many bytes queued or more, a sender waits until they are written. What a write carries already does not count.
   *
   * @default {65536}
   */
  highWaterMarkBytes?: number;
  /** Told of each message accepted by a `send`, with the length of its body in bytes. */
  onSent?: (bodyBytes: number) => void;
}

const DONE = Promise.resolve();
const NOTHING = new Uint8Array(0);

/**
 * Queues frames and writes them: at the end of the turn, when it is told to, or when enough are queued.
 *
 * The first error of a write is final: what was queued is dropped, and every later call rejects with that error. Such a
 * rejection is the peer's doing, so it is no unhandled one where nobody awaits it.
 */
export class WriteQueue implements Flushable {
  /** The frames not yet handed to a write. */
  readonly #frames: FrameEncoder;
  readonly #writer: Writer;
  readonly #highWaterMarkBytes: number;
  readonly #onSent: WriteQueueOptions["onSent"];
  #writing = false;
  /** What is being written. */
  #batch: Uint8Array = NOTHING;
  /** Bytes of the batch that were not taken yet. */
  #inFlightBytes = 0;
  #writtenBytes = 0;
  #scheduled = false;
  #failure: { error: unknown } | undefined;
  #dropped = false;
  /** What a write threw, also if it was refused to write before. */
  #writeError: unknown;
  /** Settles when the batch being written is; made, like the next, only when somebody waits. */
  #written: PromiseWithResolvers<void> | undefined;
  /** Settles when the frames queued now are written. */
  #queuedWritten: PromiseWithResolvers<void> | undefined;

  /** Makes an empty queue in front of `writer`, which nobody else may write to. */
  constructor(writer: Writer, options: WriteQueueOptions = {}) {
    this.#frames = new FrameEncoder(options);
    this.#writer = writer;
    this.#highWaterMarkBytes = options.highWaterMarkBytes ?? 64 * 1024;
    this.#onSent = options.onSent;
  }

  /** Whether every byte is with the operating system, or never will be. */
  get idle(): boolean {
    return !this.#writing && this.#frames.queuedBytes === 0;
  }

  /** Whether bytes that were queued have been dropped. */
  get dropped(): boolean {
    return this.#dropped;
  }

  /** Whether `error` is what the write that failed threw. */
  failedWith(error: unknown): boolean {
    return error !== undefined && (error === this.#failure?.error || error === this.#writeError);
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
    if (this.#failure) return rejected(this.#failure.error);
    try {
      if (this.#onSent) return this.#sent(this.#frames.pushCounted(text));
      this.#frames.push(text);
      return this.#queued();
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Queues a copy of one message given as bytes; settles when the sender may go on. */
  sendBytes(body: Uint8Array): Promise<void> {
    if (this.#failure) return rejected(this.#failure.error);
    try {
      this.#frames.pushBytes(body);
      return this.#sent(body.length);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Queues a copy of bytes that are frames already, or no frames at all; settles when the writer may go on. */
  write(bytes: Uint8Array): Promise<void> {
    if (this.#failure) return rejected(this.#failure.error);
    this.#frames.pushRaw(bytes);
    return this.#queued();
  }

  /** Queues one whole frame, whose bytes must not change any more; settles when the sender may go on. */
  sendFrame(frame: Uint8Array): Promise<void> {
    if (this.#failure) return rejected(this.#failure.error);
    this.#frames.pushFrame(frame);
    return this.#sent(frame.length - HEADER_BYTES);
  }

  /** Writes without waiting for the end of the turn; settles when the operating system has taken what is queued now. */
  flush(): Promise<void> {
    return this.#failure ? rejected(this.#failure.error) : this.drain();
  }

  /** Starts to write what is queued, and tells whether it did: not while a write is under way. */
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

  /** Starts to write at the end of a turn. */
  endTurn(): boolean {
    this.#scheduled = false;
    return this.startWriting();
  }

  /** Accepts no more: every later call rejects with `error`. What was accepted is still written. */
  refuse(error: unknown): void {
    this.#failure ??= { error };
  }

  /** Like `flush`, but also after `refuse`. */
  drain(): Promise<void> {
    if (this.idle) return DONE;
    this.startWriting();
    if (this.#frames.queuedBytes === 0) return (this.#written ??= Promise.withResolvers()).promise;
    return (this.#queuedWritten ??= Promise.withResolvers()).promise;
  }

  /** Drops what is queued: every later call rejects with `error`. */
  fail(error: unknown): void {
    this.refuse(error);
    if (!this.idle) this.#dropped = true;
    this.#frames.clear();
    this.#inFlightBytes = 0;
    for (const waited of [this.#written, this.#queuedWritten]) {
      waited?.promise.catch(ignore);
      waited?.reject(error);
    }
    this.#written = this.#queuedWritten = undefined;
  }

  #sent(bodyBytes: number): Promise<void> {
    const settled = this.#queued();
    this.#onSent?.(bodyBytes);
    return settled;
  }

  #queued(): Promise<void> {
    if (this.#frames.queuedBytes >= this.#highWaterMarkBytes) return this.drain();
    this.#schedule();
    return DONE;
  }

  #schedule(): void {
    if (this.#scheduled || this.#writing) return;
    this.#scheduled = true;
    flushThisTurn(this);
  }

  /** Hands the rest of the batch to the operating system, which may take less than it is given: 3.9 of 8 MB, once. */
  #write(): void {
    const at = this.#batch.length - this.#inFlightBytes;
    try {
      this.#writer.write(at === 0 ? this.#batch : this.#batch.subarray(at)).then(
        (bytes) => this.#onTaken(bytes),
        (error) => this.#onFailure(error),
      );
    } catch (error) {
      // Not before whoever flushes waits for this write: as if its promise had rejected.
      queueMicrotask(() => this.#onFailure(error));
    }
  }

  #onTaken(bytes: number): void {
    if (bytes === 0) {
      return this.#onFailure(new Deno.errors.WriteZero("Cannot send: a write took no bytes"));
    }
    this.#writtenBytes += bytes;
    // It is 0 already if what is queued was dropped meanwhile.
    this.#inFlightBytes = Math.max(this.#inFlightBytes - bytes, 0);
    if (this.#inFlightBytes > 0) return this.#write();
    this.#frames.release();
    this.#batch = NOTHING;
    this.#written?.resolve();
    this.#written = undefined;
    this.#writing = false;
    this.startWriting();
  }

  #onFailure(error: unknown): void {
    this.#writeError = error;
    this.fail(error);
    this.#writing = false;
  }
}

/** A rejection that is not reported as unhandled: where nobody awaits it, the next call tells. */
function rejected(error: unknown): Promise<never> {
  const promise = Promise.reject(error);
  promise.catch(ignore);
  return promise;
}

function ignore(): void {}
