/**
 * The chat behind the connections: stores what is said, then tells everybody.
 *
 * @module
 */
import { setImmediate } from "node:timers";
import type {
  AppendedMessage,
  HistoryStore,
  NewMessage,
  StoredMessage,
} from "../../lib/store/history_store.ts";
import { type Member, Room } from "../../lib/chat/room.ts";
import { frameOf, unavailableMessage } from "./messages.ts";

/** A connection in the chat. It takes whole frames: one that goes to many is encoded once. */
export interface ChatMember extends Member<Uint8Array> {
  /** Whether its session was ended meanwhile: its name may be another's by then, and it is shown nothing more. */
  readonly revoked?: boolean;
}

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
  /** Whether everybody is being sent away: each is told so by a goodbye, and nobody is told who `left`. */
  isSentAway = false;

  /** Makes an empty room over a history. */
  constructor(options: ChatRoomOptions) {
    this.#options = options;
    this.#room = new Room({
      onUserJoined: (member) => this.#announce("joined", member),
      onUserLeft: (member) => {
        if (!this.isSentAway) this.#announce("left", member);
      },
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

  /**
   * Lets a member in until the seat it gets is disposed of. What was said before is in the history, and everything
   * later is delivered. Whoever leaves still gets the answers to what it said last.
   */
  join(member: ChatMember): Disposable {
    this.commit();
    const seat = this.#room.join(member);
    return {
      [Symbol.dispose]: () => {
        this.commit();
        seat[Symbol.dispose]();
      },
    };
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
    const stored = this.#store(arrived);
    arrived.forEach((said, i) => stored ? this.#deliver(said, stored[i]!) : refuse(said));
  }

  #store(arrived: Said[]): AppendedMessage[] | undefined {
    try {
      return this.#options.history.append(arrived.map(({ message }) => message));
    } catch (error) {
      this.#options.onError?.(error);
      return undefined;
    }
  }

  #deliver({ member, message }: Said, { id, repeated }: AppendedMessage): void {
    member.deliver(frameOf({ type: "said", ref: message.ref, id }));
    if (repeated) return;
    const frame = messageFrame({ id, ...message });
    if (message.to === undefined) return this.#room.broadcast(frame, { except: member });
    const keys = new Set([this.#options.keyOf(message.to), member.key]);
    for (const key of keys) this.#room.tell(key, frame, { except: member });
  }

  #announce(type: "joined" | "left", { name }: ChatMember): void {
    this.#room.broadcast(frameOf({ type, name, at: Date.now() }));
  }
}

function refuse({ member, message }: Said): void {
  member.deliver(frameOf(unavailableMessage(message.ref)));
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
