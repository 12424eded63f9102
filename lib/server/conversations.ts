/**
 * The conversations of a server.
 *
 * @module
 */
import type { Transport } from "../conn/conn_options.ts";
import { Admission } from "./admission.ts";
import { Conversation, type Handler, type OnConversationEnd } from "./conversation.ts";
import type { GoodbyeReason } from "./end_reason.ts";
import type { HttpOption, ServeOptions } from "./serve_options.ts";
import type { ConnInfo } from "./server_events.ts";

/** Begins conversations, as many as the limits allow, and ends them. */
export class Conversations {
  readonly #handler: Handler;
  readonly #options: ServeOptions & HttpOption;
  readonly #admission: Admission;
  /** In the order they began. */
  readonly #running = new Set<Conversation>();

  /** Begins without any. The options are complete. */
  constructor(handler: Handler, options: ServeOptions & HttpOption) {
    this.#handler = handler;
    this.#options = options;
    this.#admission = new Admission(options);
  }

  /** How many there are. */
  get size(): number {
    return this.#running.size;
  }

  /** Those who take part, in the order they connected; one that only requests pages does not. */
  peers(): ConnInfo[] {
    const infos = Array.from(this.#running, ({ info }) => info);
    return infos.filter(({ protocol }) => protocol !== "http");
  }

  /** Begins one, and takes over its connection, or returns why the peer is refused. */
  begin(conn: Transport, info: ConnInfo): GoodbyeReason | undefined {
    const refusal = this.#admission.enter(info.address);
    if (refusal !== undefined) return refusal;
    const conversation = new Conversation(conn, info, this.#options, this.#onEnd);
    this.#running.add(conversation);
    conversation.run(this.#handler);
    return undefined;
  }

  /** Ends those that `predicate` selects; returns how many. */
  end(reason: GoodbyeReason, predicate: (conn: ConnInfo) => boolean): number {
    const selected = this.endings().filter(({ info }) => predicate(info));
    for (const conversation of selected) conversation.end(reason);
    return selected.length;
  }

  /** All of them, to wait for, or to end at once. */
  endings(): Conversation[] {
    return [...this.#running];
  }

  /** One function for all conversations. */
  readonly #onEnd: OnConversationEnd = (conversation, end) => {
    const { info: conn, http } = conversation;
    const { onEvent } = this.#options;
    this.#running.delete(conversation);
    this.#admission.leave(conn.address);
    const requests = http?.requests ?? 0;
    if (conn.protocol === "http") onEvent?.({ type: "requested", conn, requests });
    else onEvent?.({ type: "disconnected", conn, ...end });
  };
}
