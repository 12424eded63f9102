/**
 * The receiving half of a connection: one reader, many messages a read.
 *
 * @module
 */
import { InactivityTimer, type Progressing } from "../base/inactivity_timer.ts";
import { Latch } from "../base/latch.ts";
import { quiet, refusedBy } from "../base/within.ts";
import type { FramedConnOptions } from "./conn_options.ts";
import type { MessageObserver } from "../frame/frame.ts";
import type { MessageDecoder } from "../frame/message_decoder.ts";
import { ChunkReader, type Reader, type StreamEnd } from "./chunk_reader.ts";
import { atLeast, BODY, type Kind, partInto, RESULT, TEXT } from "../frame/receive_kind.ts";

const MAX_DEFAULT_MESSAGE_TIMEOUT_MS = 60_000;

/** A receive that waits. */
interface Waiting<T> extends PromiseWithResolvers<T> {
  readonly kind: Kind<T>;
  readonly signal: AbortSignal | undefined;
}

/**
 * Reads chunks and gives the messages in them. A message that is already there costs no system call.
 *
 * A read of a socket cannot be interrupted. So a receive that is given up leaves its read running, and what that read
 * brings is there for the next receive.
 */
export class MessageReader extends ChunkReader
  implements AsyncIterableIterator<string, void, void>, EventListenerObject, Progressing {
  readonly #observer: MessageObserver;
  readonly #idleTimeoutMs: number;
  readonly #idleTimer: InactivityTimer | undefined;
  readonly #stopped = new Latch();
  // deno-lint-ignore no-explicit-any -- each receive waits for a type of its own
  #waiting: Waiting<any> | undefined;
  /** No more messages are given: the end of the stream or a final error was reported, or `stop` was called. */
  #ended = false;
  #givenMessages = 0;
  readonly #messageTimeoutMs: number;
  /** Made when the first message comes in more than one chunk. */
  #messageTimer: InactivityTimer | undefined;
  /** What the last receive that failed threw. */
  #thrown: unknown;

  /** Reads from `reader`, which nothing else may read. */
  constructor(reader: Reader, frames: MessageDecoder, options: FramedConnOptions = {}) {
    super(reader, frames);
    this.#observer = options.observer ?? options;
    this.#idleTimeoutMs = options.idleTimeoutMs ?? 0;
    this.#messageTimeoutMs = options.messageTimeoutMs ??
      Math.min(12 * this.#idleTimeoutMs, MAX_DEFAULT_MESSAGE_TIMEOUT_MS);
    if (this.#idleTimeoutMs > 0) this.#idleTimer = new InactivityTimer(this.#idleTimeoutMs, this);
  }

  /** Whether a receive waits. */
  override get receiving(): boolean {
    return this.#waiting !== undefined;
  }

  /** How many messages were given, those that were not UTF-8 included. */
  get givenMessages(): number {
    return this.#givenMessages;
  }

  /** Settles when `stop` was called. */
  get stopped(): Promise<void> {
    return this.#stopped.promise;
  }

  /** Whether `error` is what the last receive that failed threw. */
  failedWith(error: unknown): boolean {
    return this.#thrown !== undefined && this.#thrown === error;
  }

  /** Waits for the next text; `null` when the peer finished between frames. */
  receive(signal?: AbortSignal): Promise<string | null> {
    return this.#receive(TEXT, signal);
  }

  /** Waits for the next message as bytes, which are the caller's. */
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

  /** Settles when so many bytes are there, or the end. They stay to be received. */
  peek(bytes: number, signal?: AbortSignal): Promise<null> {
    return this.#receive(atLeast(bytes), signal);
  }

  /** Reads bytes as they come, frames or not: first what is buffered. */
  read(target: Uint8Array): Promise<number | null> {
    return target.length === 0 ? Promise.resolve(0) : this.#receive(partInto(target));
  }

  /** Stops, reads on until the peer has finished, and drops all of it. Rejects if the connection is lost before. */
  override discard(): Promise<void> {
    this.stop();
    return super.discard();
  }

  /** Gives no more: a pending and every later `receive` or `read` gives `null`. */
  stop(): void {
    this.#ended = true;
    this.#stopped.open();
    this.#idleTimer?.[Symbol.dispose]();
    this.#messageTimer?.[Symbol.dispose]();
    this.onRead();
  }

  /** Stops, and gives the memory back as soon as no read is running in it. */
  override [Symbol.dispose](): void {
    this.stop();
    super[Symbol.dispose]();
  }

  /** Ends the stream as lost: a pending receive, or else the next one, rejects with `error` after what is buffered. */
  override fail(error: unknown): void {
    super.fail(error);
    this.onRead();
  }

  #receive<T>(kind: Kind<T>, signal?: AbortSignal): Promise<T> {
    if (this.#waiting) {
      return Promise.reject(new TypeError("Cannot receive: another receive is pending"));
    }
    const refused = refusedBy(signal);
    if (refused) return refused;
    try {
      // On a busy connection most messages are here already: to take those must cost next to nothing.
      const message = this.#take(kind);
      if (message !== undefined) return this.given(message);
    } catch (error) {
      return quiet(Promise.reject(this.#failed(error)));
    }
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.#waiting = { promise, resolve, reject, kind, signal };
    signal?.addEventListener("abort", this);
    this.#readMore();
    return promise;
  }

  /** What a receive gives now, or `undefined` if it has to wait. */
  #take<T>(kind: Kind<T>): T | undefined {
    if (this.#ended) return kind.end;
    const message = kind.take(this.frames);
    if (message === undefined) return this.#takeEnd(kind, this.takeEnd());
    if (kind.isMessage) {
      this.#givenMessages++;
      this.#observer.onReceived?.(this.frames.bodyBytes);
    }
    return message;
  }

  #takeEnd<T>(kind: Kind<T>, end: StreamEnd | undefined): T | undefined {
    if (!end) return undefined;
    if (kind.isPeek) return kind.end;
    this.#ended = true;
    const isInOrder = end.how === "finished" || end.how === "hungUp" && kind.isMessage;
    if (!isInOrder) throw end.error;
    this.frames.end();
    return kind.end;
  }

  /** What a waiting receive waits for may have happened: settles it, or reads on. */
  protected override onRead(): void {
    const waiting = this.#waiting;
    if (!waiting) return;
    try {
      const message = this.#take(waiting.kind);
      if (message === undefined) return this.#readMore();
      this.#stopWaiting(waiting);
      waiting.resolve(message);
    } catch (error) {
      this.#giveUp(waiting, error);
    }
  }

  #giveUp(waiting: Waiting<unknown>, error: unknown): void {
    this.#stopWaiting(waiting);
    quiet(waiting.promise);
    waiting.reject(this.#failed(error));
  }

  #stopWaiting({ signal }: Waiting<unknown>): void {
    this.#waiting = undefined;
    signal?.removeEventListener("abort", this);
  }

  #failed(error: unknown): unknown {
    // What follows a frame over the limit cannot be divided into frames.
    this.#ended ||= this.reportBroken(error);
    if (error instanceof Deno.errors.InvalidData) this.#givenMessages++;
    return this.#thrown = error;
  }

  /** For the signal of the waiting receive: its own caller gives up, and nothing has failed. */
  handleEvent(): void {
    const waiting = this.#waiting!;
    this.#stopWaiting(waiting);
    waiting.reject(waiting.signal!.reason);
  }

  /** For the timer: the clock runs while a receive waits. */
  progress(): number | undefined {
    return this.#waiting ? this.receivedBytes : undefined;
  }

  /** Reads on; the clock of a message starts when a part of it is here. */
  #readMore(): void {
    const ms = this.#messageTimeoutMs;
    if (ms > 0 && this.frames.bufferedBytes > 0) {
      this.#messageTimer ??= new InactivityTimer(ms, {
        progress: () => this.#messageProgress(),
        onInactive: () => this.#timeOut("no whole message", ms),
      });
    }
    this.readOn();
  }

  /** Changes with each message, and with each KB for a second of the timeout. */
  #messageProgress(): number | undefined {
    if (!this.#waiting) return undefined;
    if (this.frames.bufferedBytes === 0) return NaN;
    const steps = Math.floor(this.frames.bufferedBytes / this.#messageTimeoutMs);
    // More than the seconds that a message of any length may take.
    return this.#givenMessages * 2 ** 32 + steps;
  }

  /** For the timer. */
  onInactive(): void {
    const what = this.frames.bufferedBytes > 0 ? "no whole message" : "nothing";
    this.#timeOut(what, this.#idleTimeoutMs);
  }

  #timeOut(what: string, ms: number): void {
    const error = new Deno.errors.TimedOut(`Cannot receive: the peer sent ${what} for ${ms} ms`);
    if (this.#waiting) this.#giveUp(this.#waiting, error);
  }
}
