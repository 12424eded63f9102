/**
 * The chat client without a user interface: it logs in, stays connected, and keeps its promises across connections.
 *
 * It uses no terminal, no file, no TCP and no API of Deno: a page in a browser can use it as it is.
 *
 * @module
 */

import { within } from "../../lib/base/within.ts";
import type { ByeReason } from "../../lib/chat/protocol.ts";
import { backoff, Reconnector } from "../../lib/conn/reconnect.ts";
import { type ChatConn, ChatConnection } from "./connection.ts";
import type { ChatEnd, ChatRequest, ChatSessionOptions, Outcome } from "./session_options.ts";
import type { OwnMessage, PendingMessages } from "./pending.ts";
import type { SeenMessages } from "./seen.ts";
import { SessionState } from "./state.ts";

// A connection is kept this long while credentials are asked for: a server ends it after 10 s.
const ASKING_MS = 5000;
// A login that lasted this long was a good one: the next refusal is waited for as the first.
const STABLE_MS = 5000;

/**
 * A place in the chat, or a login at the authentication server, that outlives its connections: a message given to `say`
 * is stored once, and each message of others is delivered once, both in order.
 */
export class ChatSession {
  readonly #options: ChatSessionOptions;
  readonly #state: SessionState;
  readonly #stop = new AbortController();
  readonly #stopped = Promise.withResolvers<void>();
  #connection: ChatConnection | undefined;
  #reconnector: Reconnector<ChatConn>;
  #loginWaits: Generator<number, never, void>;
  #bye: ByeReason | undefined;
  #wasGreeted = false;
  #isWaiting = false;
  #isLoggingOut = false;
  #entered = Promise.withResolvers<void>();
  #changed = Promise.withResolvers<void>();

  /** Prepares a session; {@linkcode ChatSession.run} starts it. */
  constructor(options: ChatSessionOptions) {
    this.#options = options;
    this.#state = new SessionState(options);
    this.#reconnector = this.#newReconnector();
    this.#loginWaits = backoff(options.backoff);
  }

  /** Whether the user is logged in on an open connection. */
  get isIn(): boolean {
    return this.#connection?.isIn ?? false;
  }

  /** The messages that wait until they are stored: how many, which, and when that changes. */
  get pending(): Pick<PendingMessages, "count" | "messages" | "changed"> {
    return this.#state.pending;
  }

  /** How many logins have ended: what was typed before may be meant for accounts that are gone. */
  get endedLogins(): number {
    return this.#state.endedLogins;
  }

  /** What was shown: the lowest id, before which `history` continues, and how to start again with the newest. */
  get seen(): Pick<SeenMessages, "oldest" | "forgetShown"> {
    return this.#state.seen;
  }

  /** Settles when the user is logged in on an open connection. */
  get entered(): Promise<void> {
    return this.#entered.promise;
  }

  /**
   * Connects, and connects again, until the session ends.
   *
   * @throws {WrongServerError} If the peer does not speak this protocol.
   * @throws {unknown} A failure that no further attempt can help, or what a callback threw.
   */
  async run(): Promise<ChatEnd> {
    try {
      const end = await this.#stayConnected();
      if (end === "logged_out" || end === "kicked") {
        await this.#state.login.forget().catch((error: Error) => this.#state.notKept(error));
      }
      return end;
    } catch (error) {
      if (this.#stop.signal.aborted) return "closed";
      throw error;
    } finally {
      this.#connection?.close();
      this.#state.suspend();
    }
  }

  /** Says something to everybody, or to one user, now or as soon as it can; gives the reason if it never can. */
  say(text: string, options: { to?: string; ref?: string } = {}): string | undefined {
    const { pending } = this.#state;
    const { to, ref = pending.nextRef() } = options;
    const message: OwnMessage = to === undefined
      ? { type: "say", ref, text }
      : { type: "tell", ref, to, text };
    return pending.add(message);
  }

  /** Asks the server something; `false` when there is no connection. `onPageEnd` gets the size of a page of history. */
  request(message: ChatRequest, onPageEnd: (count: number) => void = () => {}): boolean {
    const connection = this.#connection;
    if (!connection?.isIn) return false;
    const { onMessage } = this.#options;
    if (message.type === "history") this.#state.askPage(message, connection, onPageEnd);
    else if (message.type === "ping") connection.ping(() => void onMessage({ type: "pong" }));
    else connection.send(message);
    return true;
  }

  /**
   * Waits until everything is stored, and every request answered; or, with nothing to send, until there is no
   * connection.
   *
   * @param patienceMs How long nothing may happen before it gives up, in milliseconds.
   * @returns Whether everything is stored.
   */
  async settled(patienceMs: number): Promise<boolean> {
    const { pending } = this.#state;
    while (pending.count > 0) {
      if (!await within(patienceMs, pending.changed)) return false;
    }
    while (!this.isIn && !this.#isWaiting) {
      if (!await within(patienceMs, this.#changed.promise)) return true;
    }
    if (!this.isIn) return true;
    const answered = new Promise<void>((resolve) => this.#connection!.ping(resolve));
    await within(patienceMs, Promise.race([answered, this.#changed.promise]));
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
    this.#stopped.resolve();
    this.#connection?.close();
  }

  async #stayConnected(): Promise<ChatEnd> {
    for (let outcome: Outcome = {};;) {
      if (!this.#state.login.isReady && !await this.#ask(outcome)) return "given_up";
      this.#bye = outcome.bye;
      if (!this.#connection?.isOpen) await this.#connect(outcome);
      outcome = await this.#converse(this.#connection!);
      if (!outcome.refusal) this.#connection!.close();
      if (outcome.end) return outcome.end;
      this.#stop.signal.throwIfAborted();
      // The answer to an earlier logout was lost, or the token was revoked elsewhere.
      if (this.#isLoggingOut && outcome.refusal?.code === "unauthorized") return "logged_out";
    }
  }

  /** Asks for credentials. After a refusal this takes some time, whatever the server and the user do. */
  async #ask({ refusal, lost }: Outcome): Promise<boolean> {
    const askedAt = performance.now();
    const brokeFirst = { code: "lost", message: "The connection broke during the login" } as const;
    const asking = this.#options.credentials(refusal ?? (lost && brokeFirst));
    if (!await within(ASKING_MS, asking)) this.#connection?.close();
    const credentials = await asking;
    this.#stop.signal.throwIfAborted();
    if (!credentials) return false;
    if (refusal) {
      const waitMs = this.#loginWaits.next().value - (performance.now() - askedAt);
      if (waitMs > 0) await within(waitMs, this.#stopped.promise);
      this.#reconnector = this.#newReconnector();
    }
    this.#state.login.take(credentials);
    return true;
  }

  async #connect({ lost }: Outcome): Promise<void> {
    const conn = await this.#reconnector.connect(lost);
    this.#connection = new ChatConnection(conn);
    if (this.#stop.signal.aborted) this.#connection.close();
  }

  async #converse(connection: ChatConnection): Promise<Outcome> {
    let enteredAt: number | undefined;
    connection.send(this.#state.hello());
    try {
      for (;;) {
        const message = await connection.receive();
        if (message === null || message instanceof Error) return this.#lose(message);
        this.#wasGreeted ||= message.type === "hello";
        const outcome = await this.#state.take(message, connection);
        if (outcome) return outcome;
        if (!connection.isIn || enteredAt !== undefined) continue;
        enteredAt = performance.now();
        this.#enter();
      }
    } finally {
      connection.isIn = false;
      this.#state.suspend();
      if (enteredAt !== undefined) this.#leave(performance.now() - enteredAt);
    }
  }

  #lose(error: Error | null): Outcome {
    // A server that was there once is coming back, whatever answers in its place for now.
    if (error && !this.#wasGreeted && this.#options.isRetriable?.(error) === false) throw error;
    const isSilent = !this.#wasGreeted && !this.#options.tls;
    const hint = isSilent ? " without a hello: it may speak TLS (--tls)" : "";
    return { lost: { error: error ?? new Error(`the server closed the connection${hint}`) } };
  }

  #enter(): void {
    this.#isWaiting = false;
    this.#entered.resolve();
    this.#notify();
    if (this.#isLoggingOut) this.logOut();
  }

  #leave(afterMs: number): void {
    if (afterMs > STABLE_MS) this.#loginWaits = backoff(this.#options.backoff);
    this.#entered = Promise.withResolvers();
    this.#notify();
  }

  #notify(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  #newReconnector(): Reconnector<ChatConn> {
    const { connect, backoff, onWait, isRetriable } = this.#options;
    return new Reconnector((signal) => connect(signal), {
      ...backoff,
      ...(isRetriable && { isRetriable: (error) => this.#wasGreeted || isRetriable(error) }),
      signal: this.#stop.signal,
      onWait: (wait) => {
        this.#isWaiting = true;
        this.#notify();
        onWait?.({ ...wait, ...(this.#bye && { bye: this.#bye }) });
      },
    });
  }
}
