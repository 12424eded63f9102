/**
 * The messages that wait until the server has said them.
 *
 * @module
 */

import type { ClientMessage, ErrorCode } from "../../lib/chat/protocol.ts";
import { backoff, grantedMs } from "../../lib/conn/reconnect.ts";

/** A message of one's own. */
export type OwnMessage = ClientMessage & { type: "say" | "tell" };

/** A server that cannot store a message is asked so many times. */
export const MAX_TRIES = 5;

interface Entry {
  message: OwnMessage;
  tries: number;
}

/**
 * A queue of one's own messages, each with a `ref` that no other has, in this run or the next.
 *
 * One message is on its way at a time. So they are stored in the order they were given, also when the server refuses
 * one for now and would take the next; and it costs little, for the server takes only a few a second in the long run.
 * Sent again with the same `ref`, a message that was stored before is answered, and not stored twice.
 */
export class Unsaid {
  readonly #send: (message: OwnMessage) => void;
  readonly #prefix: string = crypto.randomUUID().slice(0, 13);
  readonly #entries: Entry[] = [];
  #waits = backoff({ minMs: 500 });
  #changed = Promise.withResolvers<void>();
  #lastRef = 0;
  #isOpen = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Takes the function that sends a message on the connection of the moment. */
  constructor(send: (message: OwnMessage) => void) {
    this.#send = send;
  }

  /** How many messages wait. */
  get count(): number {
    return this.#entries.length;
  }

  /** The messages that wait, the next one first. */
  get messages(): OwnMessage[] {
    return this.#entries.map(({ message }) => message);
  }

  /** Settles when the next message leaves the queue. */
  get changed(): Promise<void> {
    return this.#changed.promise;
  }

  /** Makes a new ref. */
  nextRef(): string {
    return `${this.#prefix}-${++this.#lastRef}`;
  }

  /** Puts a message at the end, to be sent when those before it are said. */
  add(message: OwnMessage): void {
    this.#entries.push({ message, tries: 0 });
    if (this.#entries.length === 1) this.#sendFirst();
  }

  /** Sends the first from now on: there is a connection, and somebody is logged in. */
  open(): void {
    this.#isOpen = true;
    this.#sendFirst();
  }

  /** Keeps everything until the next `open`. */
  close(): void {
    this.#isOpen = false;
    clearTimeout(this.#timer);
  }

  /** Takes a message out that the server has said, sends the next, and gives the one; `undefined` if it does not wait. */
  said(ref: string): OwnMessage | undefined {
    if (this.#entries[0]?.message.ref !== ref) return undefined;
    this.#waits = backoff({ minMs: 500 });
    return this.#next();
  }

  /** Takes all messages out and gives them. */
  takeAll(): OwnMessage[] {
    clearTimeout(this.#timer);
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
    return this.#entries.splice(0).map(({ message }) => message);
  }

  /** Takes a refused message out and gives it; gives `undefined` if it does not wait, or will be sent again. */
  refused(ref: string, code: ErrorCode, retryAfterMs?: number): OwnMessage | undefined {
    const first = this.#entries[0];
    if (first?.message.ref !== ref) return undefined;
    const isRetried = code === "too_fast" || code === "unavailable" && ++first.tries < MAX_TRIES;
    if (!isRetried) return this.#next();
    this.#sendFirst(
      retryAfterMs === undefined ? this.#waits.next().value : grantedMs(retryAfterMs),
    );
    return undefined;
  }

  #next(): OwnMessage {
    const { message } = this.#entries.shift()!;
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
    this.#sendFirst();
    return message;
  }

  #sendFirst(delayMs = 0): void {
    clearTimeout(this.#timer);
    const first = this.#entries[0];
    if (!first || !this.#isOpen) return;
    if (delayMs === 0) this.#send(first.message);
    else this.#timer = setTimeout(() => this.#send(first.message), delayMs);
  }
}
