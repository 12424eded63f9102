/**
 * The conversations that are going on.
 *
 * @module
 */
import type { ConnInfo, Conversation } from "./conversation.ts";
import type { GoodbyeReason } from "./goodbye.ts";

/** Options for waiting until conversations have ended. */
export interface DrainOptions {
  /** Ends the patience: connections whose handlers have not returned by then are closed. */
  signal?: AbortSignal;
}

/** Knows conversations from their beginning to their end, in the order they began. */
export class Conversations {
  readonly #ends = new Map<Conversation, Promise<void>>();

  /** How many are going on. */
  get size(): number {
    return this.#ends.size;
  }

  /** Tells who is at the other ends. */
  infos(): ConnInfo[] {
    return Array.from(this.#ends.keys(), (conversation) => conversation.info);
  }

  /** Counts a conversation among these while `talk`, which must not reject, goes on. */
  async during(conversation: Conversation, talk: () => Promise<void>): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#ends.set(conversation, promise);
    await talk();
    this.#ends.delete(conversation);
    resolve();
  }

  /** Ends those for which `whether` holds, with a goodbye; tells how many. */
  end(reason: GoodbyeReason, whether: (conn: ConnInfo) => boolean): number {
    const ending = [...this.#ends.keys()].filter(({ info }) => whether(info));
    for (const conversation of ending) conversation.end(reason);
    return ending.length;
  }

  /** Closes their connections at once. */
  abort(): void {
    for (const conversation of this.#ends.keys()) conversation.abort();
  }

  /** Waits for the end of those that are going on now; when the signal aborts, closes their connections. */
  async drain({ signal }: DrainOptions = {}): Promise<void> {
    const leaving = new Map(this.#ends);
    const abortAll = () => leaving.keys().forEach((conversation) => conversation.abort());
    signal?.addEventListener("abort", abortAll);
    if (signal?.aborted) abortAll();
    await Promise.all(leaving.values());
    signal?.removeEventListener("abort", abortAll);
  }
}
