/**
 * The conversations that are going on.
 *
 * @module
 */
import type { Conversation } from "./conversation.ts";
import type { ConnInfo } from "./server_events.ts";
import type { GoodbyeReason } from "./end_reason.ts";

/** Options for waiting until conversations have ended. */
export interface DrainOptions {
  /** Ends the patience: connections whose handlers have not returned by then are closed. */
  signal?: AbortSignal | undefined;
}

/** Knows conversations from their beginning to their end, in the order they began. */
export class Conversations {
  /** With each, what settles when it has ended: made only when somebody waits for that. */
  readonly #going = new Map<Conversation, PromiseWithResolvers<void> | undefined>();

  /** How many are going on. */
  get size(): number {
    return this.#going.size;
  }

  /** Tells who is at the other ends. */
  infos(): ConnInfo[] {
    return Array.from(this.#going.keys(), (conversation) => conversation.info);
  }

  /** A conversation has begun. */
  add(conversation: Conversation): void {
    this.#going.set(conversation, undefined);
  }

  /** A conversation has ended. */
  delete(conversation: Conversation): void {
    const ended = this.#going.get(conversation);
    this.#going.delete(conversation);
    ended?.resolve();
  }

  /** Ends those for which `whether` holds, with a goodbye; tells how many. */
  end(reason: GoodbyeReason, whether: (conn: ConnInfo) => boolean): number {
    const ending = [...this.#going.keys()].filter(({ info }) => whether(info));
    for (const conversation of ending) conversation.end(reason);
    return ending.length;
  }

  /** Closes their connections at once. */
  abort(): void {
    for (const conversation of this.#going.keys()) conversation.abort();
  }

  /** Waits for the end of those that are going on now; when the signal aborts, closes their connections. */
  async drain({ signal }: DrainOptions = {}): Promise<void> {
    const leaving = [...this.#going.keys()];
    const abortAll = () => leaving.forEach((conversation) => conversation.abort());
    signal?.addEventListener("abort", abortAll);
    if (signal?.aborted) abortAll();
    await Promise.all(leaving.map((conversation) => this.#ended(conversation)));
    signal?.removeEventListener("abort", abortAll);
  }

  #ended(conversation: Conversation): Promise<void> {
    const ended = this.#going.get(conversation) ?? Promise.withResolvers<void>();
    this.#going.set(conversation, ended);
    return ended.promise;
  }
}
