/**
 * A member of the chat: shows what was said before, takes what is said, and delivers what others say.
 *
 * @module
 */
import { sleep } from "../../lib/base/within.ts";
import type { ClientMessage } from "../../lib/chat/protocol.ts";
import type { ConnInfo } from "../../lib/server/server_events.ts";
import type { MessageConn } from "../../lib/conn/message_conn.ts";
import type { Person } from "../../lib/store/history_store.ts";
import { Outbox } from "../../lib/chat/outbox.ts";
import { StorageError } from "../../lib/store/storage_error.ts";
import type { TokenBuckets } from "../../lib/base/token_bucket.ts";
import type { ChatRoom, Seated } from "./chat_room.ts";
import type { Hello } from "./login.ts";
import { Member } from "./member.ts";
import type { Members } from "./members.ts";
import { errorOf, frameOf, type Problem, problemOf, UNAVAILABLE } from "./messages.ts";
import { Replay } from "./replay.ts";

// How many messages are shown at once: where the client does not say, and at most.
const DEFAULT_HISTORY = 50;
const MAX_HISTORY = 200;

/** What the members of a chat share. */
export interface Chat {
  /** Accounts and sessions. */
  members: Members;
  /** Who is here, and what was said. */
  room: ChatRoom;
  /** Flood control, by account. */
  flood: TokenBuckets;
  /** Called when a member is dropped because it is too slow. */
  onTooSlow?(conn: ConnInfo): void;
}

type Text = ClientMessage & { type: "say" | "tell" };
type History = ClientMessage & { type: "history" };

/** One client of the chat. */
export class ChatMember extends Member implements Seated {
  readonly #chat: Chat;
  readonly #outbox: Outbox;
  #seat: Disposable | undefined;
  /** This side has ended the conversation: what is left is the goodbye. */
  #isEnding = false;
  /** Who it was or is. */
  #person: Person = { id: 0, name: "" };
  /** How many of its messages are not answered yet. */
  #pending = 0;

  /** Makes a client that has not said anything. */
  constructor(conn: MessageConn, info: ConnInfo, chat: Chat) {
    super(conn, info, chat.members);
    this.#chat = chat;
    this.#outbox = new Outbox(conn, { onOverflow: () => this.#drop() });
    conn.readClosed.then(() => this.#isEnding = true);
  }

  /** Its account, for the room. */
  get key(): number {
    return this.#person.id;
  }

  /** Its name, for the room. */
  get name(): string {
    return this.#person.name;
  }

  /** Queues a frame. */
  deliver(frame: Uint8Array): void {
    this.#outbox.deliver(frame);
  }

  /** Ends the session: it leaves the room at once. */
  override endSession(): void {
    super.endSession();
    this.#seat?.[Symbol.dispose]();
    this.#seat = undefined;
  }

  /** The id of the newest message. */
  protected override get lastId(): number {
    return this.#chat.room.history.lastId;
  }

  /** Sends what the client missed, and then gives it a seat, so that each later message comes exactly once. */
  protected override async entered(hello: Hello, last: number): Promise<void> {
    const { accountId: id, name } = this.session!;
    this.#person = { id, name };
    const { room } = this.#chat;
    const join = () => void (this.#seat = room.join(this));
    let replay: Replay | undefined;
    while (this.session && !this.#isEnding) {
      try {
        replay ??= this.#replay(await this.#firstMissed(hello, last));
        return await replay.sendTo(this.conn, join);
      } catch (error) {
        if (!(error instanceof StorageError)) throw error;
        // Tried again until it works: without a seat the client would miss messages.
        this.members.options.onStorageError?.(error);
        await this.refuse(UNAVAILABLE);
        await sleep(UNAVAILABLE.retryAfterMs!);
      }
    }
  }

  /** Answers in order: what it said before comes first. */
  protected override async settled(): Promise<void> {
    while (this.#pending > 0) await this.#chat.room.settled;
  }

  /** Answers one message. A member that sends too much is not read for a while. */
  protected override async answer(message: ClientMessage): Promise<void> {
    const { flood, room } = this.#chat;
    const retryAfterMs = flood.take(`${this.key}`);
    if (retryAfterMs > 0) {
      const text = "Slow down: this message was not taken, send it again later";
      await this.refuse({ code: "too_fast", message: text, retryAfterMs }, message);
      return await sleep(retryAfterMs);
    }
    room.act(this);
    switch (message.type) {
      case "say":
      case "tell":
        return await this.#say(message);
      case "history":
        return await this.#showEarlier(message);
      case "who":
        return await this.send(room.users());
    }
  }

  /** Answers a message that it said. */
  said(ref: string, id: number | undefined): void {
    this.#pending--;
    const answer = id === undefined
      ? errorOf(UNAVAILABLE, ref)
      : { type: "said", ref, id } as const;
    this.deliver(frameOf(answer));
  }

  async #say(message: Text): Promise<void> {
    const { ref, text } = message;
    const { members, room } = this.#chat;
    const problem = problemOf(text);
    if (problem) return await this.refuse(problem, message);
    const receiver = message.type === "tell" ? members.accounts.find(message.to) : undefined;
    if (message.type === "tell" && !receiver) return await this.refuse(NO_SUCH_USER, message);
    this.#pending++;
    const sender = this.#person;
    room.say(this, { sender, ref, text, at: Date.now(), ...(receiver && { receiver }) });
  }

  async #showEarlier({ before = Number.MAX_SAFE_INTEGER, limit = DEFAULT_HISTORY }: History) {
    const first = await this.#firstOf(limit, before);
    await this.#replay(first - 1, before).sendTo(this.conn);
  }

  /** The id before the first message that the client has missed. */
  async #firstMissed({ since, history = DEFAULT_HISTORY }: Hello, last: number): Promise<number> {
    // Never above what it was told: all that comes later it has not seen.
    if (since !== undefined) return Math.min(since, last);
    return await this.#firstOf(history, last + 1) - 1;
  }

  #firstOf(count: number, before: number): Promise<number> {
    const { history, share } = this.#chat.room;
    return share.run(() => history.firstOf(Math.min(count, MAX_HISTORY), before, this.key));
  }

  #replay(after: number, before?: number): Replay {
    const { history, share } = this.#chat.room;
    const accountId = () => this.#isEnding ? undefined : this.session?.accountId;
    return new Replay(history, share, { after, before, accountId });
  }

  #drop(): void {
    this.#chat.onTooSlow?.(this.info);
    this.send({ type: "bye", reason: "too_slow", retryAfterMs: 1000 });
    // Not closed: the server ends the conversation when the peer has taken what is queued, this `bye` included.
    this.conn.closeRead();
  }
}

const NO_SUCH_USER: Problem = {
  code: "no_such_user",
  message: "There is no user of that name",
};
