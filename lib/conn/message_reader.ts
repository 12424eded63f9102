/**
 * The receiving half of a connection: one reader, many messages a read.
 *
 * @module
 */
import { FrameDecoder } from "../frame/frame_decoder.ts";
import { type FrameOptions, FrameTooLargeError } from "../frame/frame.ts";
import { IdleTimer } from "../base/idle_timer.ts";
import { readEnded, type Reading, readInTurn } from "./read_turn.ts";
import { BODY, partInto, type ReceiveKind, RESULT, TEXT } from "./receive_kind.ts";

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
  /** Told of each message handed out by a `receive`, with the length of its body in bytes. It may not throw. */
  onReceived?: (bodyBytes: number) => void;
}

/** A receive that waits. */
interface Waiting<T> {
  readonly kind: ReceiveKind<T>;
  readonly signal: AbortSignal | undefined;
  resolve(message: T): void;
  reject(error: unknown): void;
}

/**
 * Reads chunks and hands out the messages in them. A message that is already there costs no system call.
 *
 * A read of a socket cannot be interrupted. So a receive that is given up leaves its read running, and what that read
 * brings is there for the next receive.
 */
export class MessageReader
  implements AsyncIterableIterator<string, void, void>, EventListenerObject, Reading, Disposable {
  /** What was read and not handed out yet. */
  readonly #frames: FrameDecoder;
  readonly #reader: Reader;
  readonly #onReceived: MessageReaderOptions["onReceived"];
  readonly #idleTimeoutMs: number;
  readonly #idleTimer: IdleTimer | undefined;
  // deno-lint-ignore no-explicit-any -- each receive waits for a type of its own
  #waiting: Waiting<any> | undefined;
  #reading = false;
  #stopped: PromiseWithResolvers<void> | undefined;
  #failure: { error: unknown } | undefined;
  /** What the last receive that failed threw. */
  #thrown: unknown;
  /** The peer has finished: what is buffered is all there will be. */
  #finished = false;
  #lost = false;
  /** Nothing more is handed out. */
  #ended = false;
  /** It was this side that ended it. */
  #isStopped = false;
  #disposed = false;

  /** Reads from `reader`, which nobody else may read. */
  constructor(reader: Reader, options: MessageReaderOptions = {}) {
    this.#frames = new FrameDecoder(options);
    this.#reader = reader;
    this.#onReceived = options.onReceived;
    this.#idleTimeoutMs = options.idleTimeoutMs ?? 0;
    if (this.#idleTimeoutMs > 0) {
      this.#idleTimer = new IdleTimer(this.#idleTimeoutMs, () => this.#goOn());
    }
  }

  /** Whether no more bytes will come. */
  get finished(): boolean {
    return this.#finished || this.#hungUp || this.#lost;
  }

  /** Whether a receive waits. */
  get receiving(): boolean {
    return this.#waiting !== undefined;
  }

  /** Whether the connection failed, and not because it was closed on this side. */
  get lost(): boolean {
    return this.#lost;
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

  /** Waits for the next text; `null` when the peer finished between frames. */
  receive(signal?: AbortSignal): Promise<string | null> {
    return this.#receive(TEXT, signal);
  }

  /** Waits for the next message as bytes, which are the caller's to keep. */
  receiveBytes(signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer> | null> {
    return this.#receive(BODY, signal);
  }

  /** Waits for the next text, and gives it as an iterator does. */
  next(): Promise<IteratorResult<string, void>> {
    return this.#receive(RESULT);
  }

  /** A reader is an iterator itself. */
  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Reads bytes as they come, frames or not: first what is buffered. */
  read(target: Uint8Array): Promise<number | null> {
    return this.#receive(partInto(target, false));
  }

  /** Reads on until the peer has finished, also after `stop`, and drops all of it. */
  async discard(): Promise<void> {
    const part = partInto(new Uint8Array(1024), true);
    while (await this.#receive(part) !== null);
  }

  /** Hands out no more: a pending and every later `receive` or `read` gives `null`. */
  stop(): void {
    this.#ended = this.#isStopped = true;
    this.#stopped?.resolve();
    this.#idleTimer?.[Symbol.dispose]();
    this.#goOn();
  }

  /** Stops, and gives the memory back as soon as no read is running in it. */
  [Symbol.dispose](): void {
    this.stop();
    this.#disposed = true;
    if (!this.#reading) this.#frames.discard();
  }

  #receive<T>(kind: ReceiveKind<T>, signal?: AbortSignal): Promise<T> {
    // After the end nobody waits, but a `discard` may.
    if (this.#waiting && !this.#isOver(kind)) {
      return Promise.reject(new TypeError("Cannot receive: another receive is pending"));
    }
    if (signal?.aborted) return Promise.reject(signal.reason);
    try {
      // On a busy connection most messages are here already: to take those must cost next to nothing.
      const message = this.#take(kind);
      if (message !== undefined) return Promise.resolve(message);
    } catch (error) {
      return Promise.reject(this.#failed(error));
    }
    return new Promise((resolve, reject) => {
      this.#waiting = { kind, signal, resolve, reject };
      signal?.addEventListener("abort", this);
      this.#idleTimer?.start();
      this.#goOn();
    });
  }

  #isOver({ outlivesStop }: ReceiveKind<unknown>): boolean {
    return this.#ended && !outlivesStop;
  }

  #take<T>(kind: ReceiveKind<T>): T | undefined {
    if (this.#isOver(kind)) return kind.end;
    const message = kind.take(this.#frames);
    if (message !== undefined && kind.isMessage) this.#onReceived?.(this.#frames.bodyBytes);
    return message;
  }

  /** Something happened that a waiting receive may have waited for: settles it, or waits on. */
  #goOn(): void {
    const waiting = this.#waiting;
    if (!waiting) return;
    try {
      let message = this.#take(waiting.kind);
      if (message === undefined) message = this.#endOf(waiting);
      if (message === undefined) return this.#readOn();
      this.#done(waiting);
      waiting.resolve(message);
    } catch (error) {
      this.#done(waiting);
      waiting.reject(this.#failed(error));
    }
  }

  /** The signal of the waiting receive has aborted: its own caller gives up, and nothing has failed. */
  handleEvent(): void {
    const waiting = this.#waiting!;
    this.#done(waiting);
    waiting.reject(waiting.signal!.reason);
  }

  /** What ends a receive that got no message, or `undefined` if nothing does. */
  #endOf<T>({ kind }: Waiting<T>): T | undefined {
    if (this.#finished || this.#failure) this.#ended = true;
    if (this.#finished || this.#hungUp && kind.isMessage) {
      this.#frames.end();
      return kind.end;
    }
    if (this.#failure) throw this.#failure.error;
    if (this.#idleTimer?.expired) {
      throw new Deno.errors.TimedOut(
        `Cannot receive: the peer sent nothing for ${this.#idleTimeoutMs} ms`,
      );
    }
    return undefined;
  }

  /** The peer has gone without a word, as many do over TLS. To messages that is an end: a frame shows if it is cut off. */
  get #hungUp(): boolean {
    return this.#failure?.error instanceof Deno.errors.UnexpectedEof;
  }

  #done({ signal }: Waiting<unknown>): void {
    this.#waiting = undefined;
    signal?.removeEventListener("abort", this);
    this.#idleTimer?.stop();
  }

  #failed(error: unknown): unknown {
    // What follows a frame over the limit cannot be told apart.
    if (error instanceof FrameTooLargeError) this.#ended = true;
    return this.#thrown = error;
  }

  #readOn(): void {
    if (this.#reading) return;
    this.#reading = true;
    readInTurn(this);
  }

  /** Starts to read, unless nobody waits any more. */
  startReading(): void {
    if (!this.#waiting) return this.#onRead();
    try {
      this.#reader.read(this.#frames.space()).then(
        (bytes) => this.#onChunk(bytes),
        (error) => this.#onFailure(error),
      );
    } catch (error) {
      this.#onFailure(error);
    }
  }

  #onChunk(bytes: number | null): void {
    readEnded();
    if (bytes === null) this.#finished = true;
    else this.#frames.filled(bytes);
    if (bytes) this.#idleTimer?.note();
    this.#onRead();
  }

  #onFailure(error: unknown): void {
    this.#failure = { error };
    this.#lost = !this.#disposed && !this.#hungUp;
    this.#onRead();
  }

  #onRead(): void {
    this.#reading = false;
    if (this.#disposed) this.#frames.discard();
    this.#goOn();
  }
}
