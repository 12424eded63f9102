/**
 * The members of the chat who are here, and what they are told.
 *
 * @module
 */
import type { AppendedMessage, HistoryStore, NewMessage } from "../../lib/store/history_store.ts";
import { MAX_USERS, type ServerMessage } from "../../lib/chat/protocol.ts";
import { Room } from "../../lib/chat/room.ts";
import { TurnShare } from "../../lib/chat/turn_share.ts";
import { frameOf } from "./messages.ts";
import { MessageOrder } from "./message_order.ts";
import { Presence, type User } from "./presence.ts";
import { messageOf } from "./replay.ts";

/** A connection in the chat. */
export interface Seated extends User {
  /** Takes a frame at once, without throwing: one that goes to many is encoded once. */
  deliver(frame: Uint8Array): void;
  /** Takes the answer to a message that it said: its id, or `undefined` where it cannot be stored. */
  said(ref: string, id: number | undefined): void;
}

interface Said {
  member: Seated;
  message: NewMessage;
}

/** Options for {@linkcode ChatRoom}. */
export interface ChatRoomOptions {
  /**
   * How long a user must have stayed, or been away, before the others are told, in milliseconds.
   *
   * @default {1000}
   */
  settleMs?: number;
  /** Called when messages could not be stored. */
  onStorageError?(error: unknown): void;
}

/** Delivers the messages that are committed, and announces who comes and goes. */
export class ChatRoom {
  /** The stored messages. */
  readonly history: HistoryStore;
  /** Reading and encoding old messages waits here for its turn: it must not delay who talks. */
  readonly share: TurnShare = new TurnShare();
  readonly #order: MessageOrder<Said>;
  readonly #room: Room<Uint8Array>;
  readonly #presence: Presence;
  /** All are being disconnected: each gets a goodbye, and no `left` of the others. */
  isSentAway = false;

  /** Makes an empty room over a history. */
  constructor(history: HistoryStore, options: ChatRoomOptions = {}) {
    this.history = history;
    this.#order = new MessageOrder(history, {
      onCommitted: (said, appended) => this.#committed(said, appended),
      onRefused: ({ member, message }) => member.said(message.ref, undefined),
      onStorageError: (error) => options.onStorageError?.(error),
    });
    this.#presence = new Presence(
      (type, { key, name }) =>
        this.#room.broadcast(frameOf({ type, name, at: Date.now() }), { exceptKey: key }),
      options.settleMs ?? 1000,
    );
    this.#room = new Room({
      onUserJoined: (member) => this.#presence.change(member as Seated, true),
      onUserLeft: (member) => {
        if (this.isSentAway) this.#presence.forget(member as Seated);
        else this.#presence.change(member as Seated, false);
      },
    });
  }

  /** Settles when all that was said until now is answered. */
  get settled(): Promise<void> {
    return this.#order.settled;
  }

  /** Lets a member in until its seat is disposed of. What the store does not have yet will be delivered. */
  join(member: Seated): Disposable {
    return this.#room.join(member);
  }

  /** A member does something that the others see, or that shows it the others. */
  act(member: Seated): void {
    this.#presence.act(member);
  }

  /** Who is here, as it was announced. */
  users(): ServerMessage {
    const names = this.#presence.names();
    const more = names.length - MAX_USERS;
    return { type: "users", names: names.slice(0, MAX_USERS), ...(more > 0 && { more }) };
  }

  /** Takes a message. When it is committed, the member is answered and the others get it. */
  say(member: Seated, message: NewMessage): void {
    this.#order.propose({ member, message });
  }

  /** Sends a text to all members, which is not kept; gives the number of connections. */
  notice(text: string): number {
    this.#room.broadcast(frameOf({ type: "notice", text }));
    return this.#room.size;
  }

  /** Commits what waits, and announces nothing more. */
  close(): void {
    this.#order.close();
    this.#presence.clear();
  }

  #committed({ member, message }: Said, { id, repeated }: AppendedMessage): void {
    member.said(message.ref, id);
    if (repeated) return;
    const { sender, receiver, text, at } = message;
    const stored = { id, at, from: sender.name, text, ...(receiver && { to: receiver.name }) };
    const frame = frameOf(messageOf(stored));
    if (receiver === undefined) return this.#room.broadcast(frame, { except: member });
    for (const id of new Set([receiver.id, sender.id])) {
      this.#room.tell(id, frame, { except: member });
    }
  }
}
