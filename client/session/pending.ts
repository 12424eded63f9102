/**
 * A user's own messages, until the server has stored them.
 *
 * @module
 */

import { isTextTooLong, TEXT_TOO_LONG } from "../../lib/chat/lengths.ts";
import {
  type ClientMessage,
  type ErrorCode,
  MAX_CLIENT_BODY_BYTES,
} from "../../lib/chat/protocol.ts";
import { backoff, grantedMs } from "../../lib/conn/reconnect.ts";

/** A message of the user. */
export type OwnMessage = ClientMessage & { type: "say" | "tell" };

// Control characters take six bytes each.
const TOO_LONG_AS_JSON =
  `A message has at most ${MAX_CLIENT_BODY_BYTES} bytes as JSON: send the text in parts`;

/** Why a message can never be sent, or `undefined` when it can. */
function problemOf(message: OwnMessage): string | undefined {
  const { length } = new TextEncoder().encode(JSON.stringify(message));
  if (length <= MAX_CLIENT_BODY_BYTES) return undefined;
  return isTextTooLong(message.text) ? TEXT_TOO_LONG : TOO_LONG_AS_JSON;
}

/** How often a message is sent to a server that cannot store it. */
export const MAX_TRIES = 5;

interface Entry {
  message: OwnMessage;
  tries: number;
}

/** How long to wait before a refused message is sent again, whatever the server says: it grows until one is stored. */
const ownWaits = () => backoff({ minMs: 100 });

/**
 * A queue of own messages, each with a `ref` that no other has, in this run or the next.
 *
 * One message is on its way at a time. So they are stored in the order they were given, also when the server refuses
 * one for now and would take the next; and it costs little, because a server takes only a few a second in the long run.
 * A message that is sent again with the same `ref` is answered, and not stored twice.
 */
export class PendingMessages {
  readonly #send: (message: OwnMessage) => void;
  readonly #prefix: string = randomHex();
  #entries: Entry[] = [];
  #waits = ownWaits();
  #changed = Promise.withResolvers<void>();
  #lastRef = 0;
  #isOpen = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Takes the function that sends a message on the current connection. */
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

  /** Settles when messages leave the queue. */
  get changed(): Promise<void> {
    return this.#changed.promise;
  }

  /** Makes a new ref. */
  nextRef(): string {
    return `${this.#prefix}-${++this.#lastRef}`;
  }

  /** Puts a message at the end, to be sent when those before it are stored; gives the reason if it can never be. */
  add(message: OwnMessage): string | undefined {
    const problem = problemOf(message);
    if (problem !== undefined) return problem;
    this.#entries.push({ message, tries: 0 });
    if (this.#entries.length === 1) this.#sendFirst();
    return undefined;
  }

  /** Sends the first one from now on: the user is logged in. */
  open(): void {
    this.#isOpen = true;
    this.#sendFirst();
  }

  /** Keeps everything until the next `open`. */
  close(): void {
    this.#isOpen = false;
    clearTimeout(this.#timer);
  }

  /** Removes a message that is stored, and sends the next one; gives the one, `undefined` if it does not wait. */
  stored(ref: string): OwnMessage | undefined {
    if (this.#entries[0]?.message.ref !== ref) return undefined;
    this.#waits = ownWaits();
    return this.#next();
  }

  /** Removes the messages that a predicate names, and gives them. Only while it is closed. */
  withdraw(predicate: (message: OwnMessage) => boolean): OwnMessage[] {
    const { messages } = this;
    this.#entries = this.#entries.filter(({ message }) => !predicate(message));
    this.#notify();
    return messages.filter(predicate);
  }

  /** Removes a refused message and gives it; gives `undefined` if it does not wait, or will be sent again. */
  refused(ref: string, code: ErrorCode, retryAfterMs = 0): OwnMessage | undefined {
    const first = this.#entries[0];
    if (first?.message.ref !== ref) return undefined;
    const isRetried = code === "too_fast" || code === "unavailable" && ++first.tries < MAX_TRIES;
    if (!isRetried) return this.#next();
    this.#sendFirst(Math.max(grantedMs(retryAfterMs), this.#waits.next().value));
    return undefined;
  }

  #next(): OwnMessage {
    const { message } = this.#entries.shift()!;
    this.#notify();
    this.#sendFirst();
    return message;
  }

  #notify(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  #sendFirst(delayMs = 0): void {
    clearTimeout(this.#timer);
    const first = this.#entries[0];
    if (!first || !this.#isOpen) return;
    if (delayMs === 0) this.#send(first.message);
    else this.#timer = setTimeout(() => this.#send(first.message), delayMs);
  }
}

/** `crypto.randomUUID()` is missing in a page that came without TLS. */
function randomHex(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(8));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
