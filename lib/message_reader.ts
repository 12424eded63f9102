/**
 * The receiving half of a connection: one reader, many messages a read.
 *
 * @module
 */
import { FrameDecoder } from "./frame_decoder.ts";
import { type FrameOptions, FrameTooLargeError } from "./frame.ts";
import { IdleTimer } from "./idle_timer.ts";

/** Where the bytes come from: the part of a `Deno.Conn` that a reader needs. */
export type Reader = Pick<Deno.Conn, "read">;

/** Options for {@linkcode MessageReader}. */
export interface MessageReaderOptions extends FrameOptions {
  /**
   * A `receive` that gets no byte for so long rejects with `Deno.errors.TimedOut`, in milliseconds; up to a quarter
   * later, never earlier. 0 waits for ever.
   *
   * @default {0}
   */
  idleTimeoutMs?: number;
  /** Told of each message handed out by a `receive`, with the length of its body in bytes. */
  onReceived?: (bodyBytes: number) => void;
}

/**
 * Reads chunks and hands out the messages in them. A message that is already there costs no system call.
 *
 * A read of a socket cannot be interrupted. So a receive that is given up leaves its read running, and what that read
 * brings is there for the next receive.
 */
export class MessageReader implements Disposable {
  /** What was read and not handed out yet. */
  readonly #frames: FrameDecoder;
  readonly #reader: Reader;
  readonly #beforeWait: () => void;
  readonly #onReceived: MessageReaderOptions["onReceived"];
  readonly #idleTimeoutMs: number;
  readonly #idleTimer: IdleTimer | undefined;
  #busy = false;
  #reading = false;
  #wake: (() => void) | undefined;
  #stopped: PromiseWithResolvers<void> | undefined;
  #failure: { error: unknown } | undefined;
  /** What the last receive that failed threw. */
  #thrown: unknown;
  /** The peer has finished: what is buffered is all there will be. */
  #finished = false;
  /** The connection failed, and not because it was closed on this side. */
  #lost = false;
  /** Nothing more is handed out. */
  #ended = false;
  /** It was this side that ended it. */
  #isStopped = false;
  #disposed = false;

  /** Reads from `reader`, which nobody else may read; calls `beforeWait` each time it has to wait for the peer. */
  constructor(reader: Reader, beforeWait: () => void, options: MessageReaderOptions = {}) {
    this.#frames = new FrameDecoder(options);
    this.#reader = reader;
    this.#beforeWait = beforeWait;
    this.#onReceived = options.onReceived;
    this.#idleTimeoutMs = options.idleTimeoutMs ?? 0;
    if (this.#idleTimeoutMs > 0) {
      this.#idleTimer = new IdleTimer(this.#idleTimeoutMs, () => this.#wake?.());
    }
  }

  /** Whether no more bytes will come. */
  get finished(): boolean {
    return this.#finished || this.#lost;
  }

  /** Settles when `stop` was called; made only when somebody waits. */
  get stopped(): Promise<void> {
    this.#stopped ??= Promise.withResolvers();
    if (this.#isStopped) this.#stopped.resolve();
    return this.#stopped.promise;
  }

  /** Takes over an error that another reader of the same bytes threw. */
  blame(error: unknown): void {
    this.#thrown = error;
  }

  /** Whether `error` is what the last receive that failed threw. */
  failedWith(error: unknown): boolean {
    return this.#thrown !== undefined && this.#thrown === error;
  }

  /** The longest body that is accepted, in bytes. A new limit holds from the next frame on, not for one under way. */
  get maxBodyBytes(): number {
    return this.#frames.maxBodyBytes;
  }
  set maxBodyBytes(maxBodyBytes: number) {
    this.#frames.maxBodyBytes = maxBodyBytes;
  }

  /** Takes the next text if it is here already and nobody waits for it. */
  takeText(): string | undefined {
    return this.#takeReady(this.#nextText);
  }

  /** Waits for the next text; `null` when the peer finished between frames. */
  receive(signal?: AbortSignal): Promise<string | null> {
    return this.#receive(this.#nextText, signal);
  }

  /** Waits for the next message as bytes, which are the caller's to keep. */
  receiveBytes(signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer> | null> {
    return this.#receive(this.#nextBytes, signal);
  }

  #receive<T>(take: () => T | undefined, signal?: AbortSignal): Promise<T | null> {
    if (signal) return this.#receiveLater(take, signal);
    try {
      const message = this.#takeReady(take);
      return message === undefined ? this.#receiveLater(take) : Promise.resolve(message);
    } catch (error) {
      this.#thrown = error;
      return Promise.reject(error);
    }
  }

  /** On a busy connection most messages are here already: to take those must cost next to nothing. */
  #takeReady<T>(take: () => T | undefined): T | undefined {
    return this.#busy || this.#ended ? undefined : this.#take(take);
  }

  async #receiveLater<T>(take: () => T | undefined, signal?: AbortSignal): Promise<T | null> {
    this.#begin(signal);
    try {
      for (;;) {
        if (this.#ended) return null;
        const message = this.#take(take);
        if (message !== undefined) return message;
        if (this.#finished) return this.#end();
        this.#checkWaiting(signal);
        await this.#wait();
      }
    } catch (error) {
      this.#thrown = error;
      throw error;
    } finally {
      this.#done(signal);
    }
  }

  /** Reads bytes as they come, frames or not: first what is buffered. */
  read(target: Uint8Array): Promise<number | null> {
    return this.#read(target, () => this.#ended);
  }

  /** Reads on until the peer has finished, also after `stop`, and drops all of it. */
  async discard(): Promise<void> {
    const target = new Uint8Array(1024);
    while (await this.#read(target, () => false) !== null);
  }

  async #read(target: Uint8Array, ended: () => boolean): Promise<number | null> {
    this.#begin();
    try {
      for (;;) {
        if (ended()) return null;
        if (this.#frames.bufferedBytes > 0 || target.length === 0) return this.#frames.read(target);
        if (this.#finished) return null;
        this.#checkWaiting();
        await this.#wait();
      }
    } catch (error) {
      this.#thrown = error;
      throw error;
    } finally {
      this.#done();
    }
  }

  /** Hands out no more: a pending and every later `receive` or `read` gives `null`. */
  stop(): void {
    this.#ended = this.#isStopped = true;
    this.#stopped?.resolve();
    this.#idleTimer?.[Symbol.dispose]();
    this.#wake?.();
  }

  /** Stops, and gives the memory back as soon as no read is running in it. */
  [Symbol.dispose](): void {
    this.stop();
    this.#disposed = true;
    if (!this.#reading) this.#frames.discard();
  }

  /** A frame over the limit is an error once, and then the end: what follows it cannot be told apart. */
  #take<T>(take: () => T | undefined): T | undefined {
    try {
      const message = take();
      if (message !== undefined) this.#onReceived?.(this.#frames.bodyBytes);
      return message;
    } catch (error) {
      if (error instanceof FrameTooLargeError) this.#ended = true;
      throw error;
    }
  }

  #nextText = () => this.#frames.next();
  #nextBytes = () => this.#frames.nextBytes();

  #end(): null {
    this.#ended = true;
    this.#frames.end();
    return null;
  }

  #checkWaiting(signal?: AbortSignal): void {
    if (this.#failure) {
      this.#ended = true;
      throw this.#failure.error;
    }
    signal?.throwIfAborted();
    if (this.#idleTimer?.expired) {
      throw new Deno.errors.TimedOut(
        `Cannot receive: the peer sent nothing for ${this.#idleTimeoutMs} ms`,
      );
    }
  }

  #begin(signal?: AbortSignal): void {
    if (this.#busy) throw new TypeError("Cannot receive: another receive is pending");
    signal?.throwIfAborted();
    this.#busy = true;
    signal?.addEventListener("abort", this.#wakeUp);
    this.#idleTimer?.start();
  }

  #done(signal?: AbortSignal): void {
    this.#busy = false;
    signal?.removeEventListener("abort", this.#wakeUp);
    this.#idleTimer?.stop();
  }

  #wakeUp = (): void => this.#wake?.();

  #wait(): Promise<void> {
    this.#beforeWait();
    const woken = new Promise<void>((resolve) => this.#wake = resolve);
    if (!this.#reading) this.#readChunk();
    return woken;
  }

  async #readChunk(): Promise<void> {
    this.#reading = true;
    try {
      const bytes = await this.#reader.read(this.#frames.space());
      if (bytes === null) this.#finished = true;
      else this.#frames.filled(bytes);
      if (bytes) this.#idleTimer?.note();
    } catch (error) {
      this.#failure = { error };
      this.#lost = !this.#disposed;
    }
    this.#reading = false;
    if (this.#disposed) this.#frames.discard();
    this.#wake?.();
  }
}
