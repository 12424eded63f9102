/**
 * A room: its members, and the delivery of one message to all of them. It knows nothing of sockets.
 *
 * @module
 */
import { checkFunctions, checkObject } from "../base/checks.ts";

/** One connection of a user in a room. */
export interface Member<Message> {
  /** The user's name as it is shown. */
  readonly name: string;
  /** What tells users apart: equal for all connections of one user. */
  readonly key: string | number;
  /** Takes a message without waiting. It must not call the room. */
  deliver(message: Message): void;
}

/** Options for {@linkcode Room.broadcast}. */
export interface BroadcastOptions<Message> {
  /** The member that does not get the message: usually the one that sent it. */
  except?: Member<Message>;
  /** The user none of whose connections gets the message. */
  exceptKey?: string | number;
}

/** Options for {@linkcode Room}: users come and go once, however many connections they have. */
export interface RoomOptions<Message> {
  /** Called before the first member of a user is in the room. */
  onUserJoined?(member: Member<Message>): void;
  /** Called after the last member of a user has left. */
  onUserLeft?(member: Member<Message>): void;
}

/**
 * Keeps the members of a conversation. Every member gets the messages in the same order: that of the calls.
 *
 * @example
 * ```ts
 * import { Room } from "@framed/tcp";
 * import { assertEquals } from "@std/assert";
 *
 * const room = new Room<string>();
 * const heard: string[] = [];
 * using _seat = room.join({ name: "Anna", key: "anna", deliver: (text) => heard.push(text) });
 * room.broadcast("Hello, everybody!");
 *
 * assertEquals(heard, ["Hello, everybody!"]);
 * assertEquals(room.names(), ["Anna"]);
 * ```
 */
export class Room<Message> {
  readonly #options: RoomOptions<Message>;
  /** How many seats each member has, by user. */
  readonly #users = new Map<string | number, Map<Member<Message>, number>>();
  /** All members: a broadcast goes through the array that it began with. */
  #members: readonly Member<Message>[] = [];

  /**
   * Makes an empty room.
   *
   * @throws {TypeError} If an option is not a function.
   */
  constructor(options: RoomOptions<Message> = {}) {
    checkObject("make a room", "options", options);
    const { onUserJoined, onUserLeft } = options;
    checkFunctions("make a room", {}, { onUserJoined, onUserLeft });
    this.#options = options;
  }

  /**
   * Lets a member in until its seat is disposed of; disposing of it again does nothing. A member that joins twice gets
   * each message once, and leaves with its last seat.
   *
   * @throws {TypeError} If it has no `deliver`.
   */
  join(member: Member<Message>): Disposable {
    checkObject("join", "member", member, ["deliver"]);
    if (!this.#users.has(member.key)) this.#options.onUserJoined?.(member);
    const seats = this.#users.getOrInsertComputed(member.key, () => new Map());
    const count = seats.get(member) ?? 0;
    seats.set(member, count + 1);
    if (count === 0) this.#members = [...this.#members, member];
    const seat = new DisposableStack();
    seat.defer(() => this.#leave(member));
    return seat;
  }

  /**
   * Delivers one message to every member.
   *
   * @throws What a member's `deliver` throws, when all others have the message.
   */
  broadcast(message: Message, options: BroadcastOptions<Message> = {}): void {
    deliver(this.#members, message, options);
  }

  /** Delivers a message to all connections of one user as `broadcast` does, and returns `true` if the user is here. */
  tell(
    key: string | number,
    message: Message,
    options: BroadcastOptions<Message> = {},
  ): boolean {
    const members = this.#users.get(key);
    if (members) deliver([...members.keys()], message, options);
    return members !== undefined;
  }

  /** The names of the users in the room, in the order they came; each once. */
  names(): string[] {
    return Array.from(this.#users.values(), (seats) => seats.keys().next().value!.name);
  }

  /** How many connections are in the room. */
  get size(): number {
    return this.#members.length;
  }

  #leave(member: Member<Message>): void {
    const seats = this.#users.get(member.key)!;
    const count = seats.get(member)! - 1;
    if (count > 0) return void seats.set(member, count);
    seats.delete(member);
    this.#members = this.#members.filter((other) => other !== member);
    if (seats.size > 0) return;
    this.#users.delete(member.key);
    this.#options.onUserLeft?.(member);
  }
}

function deliver<Message>(
  members: readonly Member<Message>[],
  message: Message,
  { except, exceptKey }: BroadcastOptions<Message>,
): void {
  const errors: unknown[] = [];
  for (const member of members) {
    if (member === except || member.key === exceptKey) continue;
    try {
      member.deliver(message);
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw errors[0];
}
