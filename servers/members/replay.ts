/**
 * Sends stored messages again, as fast as the peer takes them.
 *
 * @module
 */
import type { ChatMessage } from "../../lib/chat/protocol.ts";
import type { HistoryStore, StoredMessage } from "../../lib/store/history_store.ts";
import type { MessageConn } from "../../lib/conn/message_conn.ts";
import type { TurnShare } from "../../lib/chat/turn_share.ts";
import { frameOf } from "./messages.ts";

const PAGE = 50;

/** Options for {@linkcode Replay}. */
export interface ReplayOptions {
  /** The id before the first message to send. */
  after: number;
  /** The id after the last message to send; without it all are sent. */
  before?: number | undefined;
  /** The account that may see them; `undefined` when nothing more may be sent. */
  accountId(): number | undefined;
}

/** The old messages for one member: each page is read when the one before is on its way, so that little is queued. */
export class Replay {
  readonly #history: HistoryStore;
  readonly #share: TurnShare;
  readonly #options: ReplayOptions;
  #after: number;

  /** Begins after an id. Reading and encoding waits for its turn in `share`. */
  constructor(history: HistoryStore, share: TurnShare, options: ReplayOptions) {
    this.#history = history;
    this.#share = share;
    this.#options = options;
    this.#after = options.after;
  }

  /**
   * Sends the rest. After an error of the store it can be called again, and continues where it was.
   *
   * @param onEnd Called in the turn in which there are no more, unless nothing more may be sent.
   */
  async sendTo(conn: MessageConn, onEnd?: () => void): Promise<void> {
    for (let frames; (frames = await this.#share.run(() => this.#nextPage(onEnd))).length > 0;) {
      for (const frame of frames) await conn.sendFrame(frame);
    }
  }

  #nextPage(onEnd?: () => void): Uint8Array[] {
    const { before = Infinity, accountId } = this.#options;
    const id = accountId();
    if (id === undefined) return [];
    const page = this.#history.since(this.#after, id, PAGE).filter(({ id }) => id < before);
    if (page.length === 0) onEnd?.();
    else this.#after = page.at(-1)!.id;
    return page.map((message) => frameOf({ ...messageOf(message), replay: true }));
  }
}

/** A stored message as it is sent. */
export function messageOf({ id, at, from, text, to }: StoredMessage): ChatMessage {
  return { type: "message", id, at, from, text, ...(to !== undefined && { to }) };
}
