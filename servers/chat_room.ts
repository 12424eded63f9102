/**
 * The chat behind the connections: stores what is said, then tells everybody.
 *
 * @module
 */
import { setImmediate } from "node:timers";
import { encodeFrame } from "../lib/frame.ts";
import type { HistoryStore, NewMessage, StoredMessage } from "../lib/history_store.ts";
import type { ErrorCode, ServerMessage } from "../lib/protocol.ts";
import { type Member, Room } from "../lib/room.ts";
import { errorMessage } from "./messages.ts";

/** A connection in the chat. It takes whole frames: one that goes to many is encoded once. */
export type ChatMember = Member<Uint8Array>;

/** What {@linkcode ChatRoom} needs. */
export interface ChatRoomOptions {
  /** Where messages are stored. */
  history: HistoryStore;
  /** What tells users apart, from a name. */
  keyOf(name: string): string;
  /** Told when messages could not be stored. */
  onError?(error: unknown): void;
}

interface Said {
  member: ChatMember;
  message: NewMessage;
}

/**
 * Orders, stores and delivers messages.
 *
 * What arrives in one turn of the event loop is stored in one transaction at its end. Only when that is committed
 * does the sender get `said`, and do the others get the message: nothing that anybody was told can be lost.
 */
export class ChatRoom {
  readonly #options: ChatRoomOptions;
  readonly #room: Room<Uint8Array>;
  #arrived: Said[] = [];

  /** Makes an empty room over a history. */
  constructor(options: ChatRoomOptions) {
    this.#options = options;
    this.#room = new Room({
      onUserJoined: (member) => this.#announce("joined", member),
      onUserLeft: (member) => this.#announce("left", member),
    });
  }

  /** The names of the users who are here. */
  names(): string[] {
    return this.#room.names();
  }

  /** Takes a message, to be stored and delivered at the end of this turn. */
  say(member: ChatMember, message: NewMessage): void {
    this.#arrived.push({ member, message });
    if (this.#arrived.length === 1) setImmediate(() => this.commit());
  }

  /** Lets a member in. What was said before is in the history, and everything later is delivered. */
  join(member: ChatMember): Disposable {
    this.commit();
    return this.#room.join(member);
  }

  /** Says something to everybody that is no message of a user and is not kept; tells to how many. */
  notice(text: string): number {
    this.#room.broadcast(frameOf({ type: "notice", text }));
    return this.#room.size;
  }

  /** Stores what has arrived and delivers it, now instead of at the end of the turn. */
  commit(): void {
    const arrived = this.#arrived;
    if (arrived.length === 0) return;
    this.#arrived = [];
    try {
      const stored = this.#options.history.append(arrived.map(({ message }) => message));
      arrived.forEach((said, i) => this.#deliver(said, stored[i]!));
    } catch (error) {
      this.#options.onError?.(error);
      for (const said of arrived) {
        this.#refuse(said, "unavailable", "It could not be stored: try again later");
      }
    }
  }

  #deliver({ member, message }: Said, { id, repeated }: { id: number; repeated: boolean }): void {
    member.deliver(frameOf({ type: "said", ref: message.ref, id }));
    if (repeated) return;
    const frame = messageFrame({ id, ...message });
    if (message.to === undefined) return this.#room.broadcast(frame, { except: member });
    const keys = new Set([this.#options.keyOf(message.to), member.key]);
    for (const key of keys) this.#room.tell(key, frame, { except: member });
  }

  #refuse({ member, message }: Said, code: ErrorCode, text: string): void {
    member.deliver(frameOf(errorMessage(code, text, { ref: message.ref })));
  }

  #announce(type: "joined" | "left", { name }: ChatMember): void {
    this.#room.broadcast(frameOf({ type, name, at: Date.now() }));
  }
}

/** One message to members as a whole frame. */
export function frameOf(message: ServerMessage): Uint8Array {
  return encodeFrame(JSON.stringify(message));
}

/** A stored message as a whole frame. */
export function messageFrame(
  { id, at, from, text, to }: StoredMessage,
  replay = false,
): Uint8Array {
  return frameOf({
    type: "message",
    id,
    at,
    from,
    text,
    ...(to !== undefined && { to }),
    ...(replay && { replay }),
  });
}
