/**
 * A place in the chat, or a login at the authentication server, that outlives its connections.
 *
 * @module
 */

import {
  type ByeReason,
  type ClientMessage,
  MAX_CLIENT_BODY_BYTES,
  type ServerMessage,
} from "../../lib/chat/protocol.ts";
import { type BackoffOptions, Reconnector, type ReconnectWait } from "../../lib/conn/reconnect.ts";
import { isTextTooLong, TEXT_TOO_LONG } from "../../lib/chat/text_length.ts";
import { within } from "../../lib/base/within.ts";
import { type ChatConn, ChatConversation, type ConversationContext } from "./chat_conversation.ts";
import type { Credentials, Refusal } from "./credentials.ts";
import type { ChatEnd, Parting } from "./parting.ts";
import { SeenMessages } from "./seen_messages.ts";
import { type OwnMessage, Unsaid } from "./unsaid.ts";

/** A wait for the next attempt to connect; `bye`: what the server said last. */
export type ChatWait = ReconnectWait & { bye?: ByeReason };

/** A question to the server that is not repeated when the connection breaks. */
export type ChatRequest = Exclude<
  ClientMessage,
  { type: "hello" | "register" | "login" | "say" | "tell" }
>;

// Control characters take six bytes each.
const TOO_LONG_AS_JSON =
  `A message has at most ${MAX_CLIENT_BODY_BYTES} bytes as JSON: send the text in parts`;

/** What a {@linkcode ChatSession} talks with. */
export interface ChatSessionOptions {
  /** Opens a connection, which the session owns. */
  connect(signal?: AbortSignal): Promise<ChatConn>;
  /**
   * Gives what lets somebody in; `null` gives up. No connection is open meanwhile, for a person takes longer than a
   * server waits. A password is sent once: if it was refused, or nobody knows, this is called again.
   */
  credentials(refusal?: Refusal): Promise<Credentials | null>;
  /**
   * Takes what the server says, each chat message once. With `said`, `own` is the message to show, unless it was
   * replayed before; with `error`, it is the one that will not be sent again.
   */
  onMessage(message: ServerMessage, own?: OwnMessage): void;
  /** Told of each wait for the next attempt to connect. */
  onWait?(wait: ChatWait): void;
  /** How many earlier messages to ask for at the start; the server decides when left out. */
  history?: number;
  /** How long to wait between attempts to connect. */
  backoff?: BackoffOptions;
}

/**
 * Logs in, stays connected, and keeps its promises across connections: a message given to `say` or `tell` is stored
 * once, and each message of others is told once, both in order.
 */
export class ChatSession {
  readonly #options: ChatSessionOptions;
  readonly #unsaid = new Unsaid((message) => this.#conversation?.send(message));
  readonly #seen = new SeenMessages();
  readonly #stop = new AbortController();
  readonly #context: ConversationContext;
  #conversation: ChatConversation | undefined;
  #bye: ByeReason | undefined;
  #entered = Promise.withResolvers<void>();
  #wasEntered = false;
  #isLoggingOut = false;

  /** Prepares a session; {@linkcode ChatSession.run} starts it. */
  constructor(options: ChatSessionOptions) {
    this.#options = options;
    this.#context = {
      credentials: undefined,
      name: undefined,
      seen: this.#seen,
      unsaid: this.#unsaid,
      history: options.history,
      onMessage: options.onMessage.bind(options),
      onEntered: () => {
        this.#entered.resolve();
        this.#wasEntered = true;
        if (this.#isLoggingOut) this.logOut();
      },
    };
  }

  /** Whether somebody is logged in on an open connection. */
  get isIn(): boolean {
    return this.#conversation?.isIn ?? false;
  }

  /** The messages that wait to be said: how many, which, and when that changes. */
  get unsaid(): Pick<Unsaid, "count" | "messages" | "changed"> {
    return this.#unsaid;
  }

  /** The lowest id told, before which `history` goes on. */
  get oldest(): number | undefined {
    return this.#seen.oldest;
  }

  /** Lets `history` begin with the newest message again: none is shown any more. */
  forgetShown(): void {
    this.#seen.forgetShown();
  }

  /** Settles when somebody is logged in on an open connection. */
  get entered(): Promise<void> {
    return this.#entered.promise;
  }

  /**
   * Connects, and connects again, until the session ends.
   *
   * @throws {Deno.errors.InvalidData} If the peer does not speak this protocol.
   * @throws {unknown} A failure of `connect` that no waiting mends, or what a callback threw.
   */
  async run(): Promise<ChatEnd> {
    try {
      return await this.#stayConnected();
    } catch (error) {
      if (this.#stop.signal.aborted) return "closed";
      throw error;
    } finally {
      this.#unsaid.close();
    }
  }

  /** Says something to everybody, or to one user, now or as soon as it can; gives the reason if it never can. */
  say(text: string, options: { to?: string; ref?: string } = {}): string | undefined {
    const { to, ref = this.#unsaid.nextRef() } = options;
    const message: OwnMessage = to === undefined
      ? { type: "say", ref, text }
      : { type: "tell", ref, to, text };
    const bodyBytes = new TextEncoder().encode(JSON.stringify(message)).length;
    if (bodyBytes > MAX_CLIENT_BODY_BYTES) {
      return isTextTooLong(text) ? TEXT_TOO_LONG : TOO_LONG_AS_JSON;
    }
    this.#unsaid.add(message);
    return undefined;
  }

  /** Asks the server something; `false` when there is no connection. */
  request(message: ChatRequest, onPageEnd: (count: number) => void = () => {}): boolean {
    const conversation = this.#conversation;
    if (!conversation?.isIn) return false;
    const onPong = () => this.#options.onMessage({ type: "pong" });
    if (message.type === "history") conversation.askHistory(message, onPageEnd);
    else if (message.type === "ping") conversation.ping(onPong);
    else conversation.send(message);
    return true;
  }

  /**
   * Waits until everything is said, and every request answered.
   *
   * @param patienceMs How long nothing may happen before it gives up, in milliseconds.
   * @returns Whether everything is said.
   */
  async settled(patienceMs: number): Promise<boolean> {
    while (this.#unsaid.count > 0) {
      if (!await within(patienceMs, this.#unsaid.changed)) return false;
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#entered.promise.then(() => this.#conversation?.ping(resolve));
    await within(patienceMs, promise);
    return true;
  }

  /** Ends the session and its token, now or when there is a connection again. */
  logOut(): void {
    this.#isLoggingOut = true;
    this.request({ type: "logout" });
  }

  /** Ends the session. Its token stays valid. */
  close(): void {
    this.#stop.abort();
    this.#conversation?.close();
  }

  async #stayConnected(): Promise<ChatEnd> {
    let reconnector = this.#newReconnector();
    for (let parting: Parting = {};;) {
      this.#context.credentials ??= await this.#ask(parting);
      if (!this.#context.credentials) return "given_up";
      // Somebody has answered a refusal: that was wait enough.
      if (parting.refusal) reconnector = this.#newReconnector();
      this.#bye = parting.bye;
      parting = await this.#converse(await reconnector.connect(parting.lost));
      if (parting.end) return parting.end;
      // The answer to an earlier logout was lost, or somebody else has ended the token: it is no more.
      if (this.#isLoggingOut && parting.refusal?.code === "unauthorized") return "logged_out";
    }
  }

  async #ask({ refusal, lost }: Parting): Promise<Credentials | undefined> {
    const lostFirst = { code: "lost", message: "The connection broke during the login" } as const;
    const given = await this.#options.credentials(refusal ?? (lost && lostFirst));
    this.#stop.signal.throwIfAborted();
    return given ?? undefined;
  }

  async #converse(conn: ChatConn): Promise<Parting> {
    this.#conversation = new ChatConversation(conn, this.#context);
    if (this.#stop.signal.aborted) conn.close();
    try {
      const parting = await this.#conversation.run();
      if (!parting.end) this.#stop.signal.throwIfAborted();
      return parting;
    } finally {
      this.#conversation = undefined;
      // Whoever waits since before a login that failed waits on.
      if (this.#wasEntered) this.#entered = Promise.withResolvers();
      this.#wasEntered = false;
    }
  }

  #newReconnector(): Reconnector<ChatConn> {
    const { connect, backoff, onWait } = this.#options;
    return new Reconnector((signal) => connect(signal), {
      ...backoff,
      signal: this.#stop.signal,
      onWait: (wait) => onWait?.({ ...wait, ...(this.#bye && { bye: this.#bye }) }),
    });
  }
}
