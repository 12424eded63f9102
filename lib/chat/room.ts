/**
 * A room: who is in it, and how one message reaches all of them. It has never heard of sockets.
 *
 * @module
 */

/** One connection of a user in a room. */
export interface Member<Message> {
  /** The user's name as it is shown. */
  readonly name: string;
  /** What tells users apart: equal for all connections of one user. */
  readonly key: string;
  /** Takes a message at once, without waiting and without throwing: a slow member must not delay the others. */
  deliver(message: Message): void;
}

/** Options for {@linkcode Room.broadcast}. */
export interface BroadcastOptions<Message> {
  /** The member that does not get the message: usually the one that sent it. */
  except?: Member<Message>;
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
  readonly #users = new Map<string, Set<Member<Message>>>();
  /** All of them in one set: a broadcast goes through it faster. */
  readonly #members = new Set<Member<Message>>();
  readonly #deliveries: (() => void)[] = [];
  #isDelivering = false;

  /** Makes an empty room. */
  constructor(options: RoomOptions<Message> = {}) {
    this.#options = options;
  }

  /** Lets a member in until the seat it gets is disposed of. Leaving twice is harmless. */
  join(member: Member<Message>): Disposable {
    const members = this.#users.get(member.key);
    if (!members) this.#options.onUserJoined?.(member);
    // Asked again: whoever was told may have let the same user in or out meanwhile.
    this.#users.getOrInsertComputed(member.key, () => new Set()).add(member);
    this.#members.add(member);
    const seat = new DisposableStack();
    seat.defer(() => this.#leave(member));
    return seat;
  }

  /** Delivers one message to every member; during another delivery, when that is done. */
  broadcast(message: Message, options: BroadcastOptions<Message> = {}): void {
    const members = this.#asOfNow(this.#members);
    this.#inOrder(() => deliver(members, message, options));
  }

  /** Delivers a message to all connections of one user as `broadcast` does, and tells whether the user is here. */
  tell(key: string, message: Message, options: BroadcastOptions<Message> = {}): boolean {
    const members = this.#users.get(key);
    if (!members) return false;
    const receivers = this.#asOfNow(members);
    this.#inOrder(() => deliver(receivers, message, options));
    return true;
  }

  /** The names of the users in the room, in the order they came; each once. */
  names(): string[] {
    return Array.from(this.#users.values(), ([member]) => member!.name);
  }

  /** How many connections are in the room. */
  get size(): number {
    return this.#members.size;
  }

  /** What waits is for those who are here now, not for those who are by then. */
  #asOfNow(members: Set<Member<Message>>): Iterable<Member<Message>> {
    return this.#isDelivering ? [...members] : members;
  }

  /** Or a message that answers another, such as that a member has left, would reach some before that. */
  #inOrder(delivery: () => void): void {
    this.#deliveries.push(delivery);
    if (this.#isDelivering) return;
    this.#isDelivering = true;
    try {
      for (let next; (next = this.#deliveries.shift());) next();
    } finally {
      this.#isDelivering = false;
    }
  }

  #leave(member: Member<Message>): void {
    this.#members.delete(member);
    const members = this.#users.get(member.key);
    if (!members?.delete(member) || members.size > 0) return;
    this.#users.delete(member.key);
    this.#options.onUserLeft?.(member);
  }
}

function deliver<Message>(
  members: Iterable<Member<Message>>,
  message: Message,
  { except }: BroadcastOptions<Message>,
): void {
  for (const member of members) if (member !== except) member.deliver(message);
}
