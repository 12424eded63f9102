/// <reference lib="dom" />
/**
 * The chat between its page and its session.
 *
 * @module
 */

import { within } from "../../../lib/base/within.ts";
import { isSameName } from "../../../lib/chat/name.ts";
import type { ServerMessage } from "../../../lib/chat/protocol.ts";
import type { Credentials, Refusal } from "../../session/session_login.ts";
import type { ChatEnd, ChatWait } from "../../session/session_options.ts";
import type { OwnMessage } from "../../session/pending.ts";
import { safeText } from "../../../lib/base/escape.ts";
import { ChatSession } from "../../session/session.ts";
import { ask, byId } from "../shared/dom.ts";
import { reasonOf, texts } from "../shared/texts.ts";
import { type BrowserConn, openWebSocket, socketUrl } from "../shared/browser_conn.ts";
import { type CommandTarget, Composer, runLine } from "./composer.ts";
import { MessageList, PAGE } from "./message_list.ts";
import { Outgoing, reasonOfWait, TOO_LATE } from "./outgoing.ts";
import { LocalLogins, LoginForm, noticeAfter } from "./page_login.ts";
import { People } from "./people.ts";

/** The longest wait between two attempts to connect, in milliseconds. */
const MAX_BACKOFF_MS = 5000;
/** How long the answer to a logout is waited for, in milliseconds. */
const LOGOUT_MS = 3000;
/** How long a sign of life is waited for after a sleep of the machine, in milliseconds. */
const CHECK_MS = 5000;

/** Takes part in a chat as long as the page is open. */
export class ChatPage implements CommandTarget {
  readonly #logins = new LocalLogins(location.host);
  readonly #form = new LoginForm();
  readonly #list = new MessageList({
    request: (before, onEnd) =>
      this.#session.request({ type: "history", before, limit: PAGE }, onEnd),
    onName: (name) => this.#composer.writeTo(name),
  });
  readonly #people = new People((name) => this.#composer.writeTo(name));
  readonly #outgoing = new Outgoing(() => this.#session.pending.messages);
  readonly #composer = new Composer({ onLine: (line, to) => runLine(line, to, this) });
  #session = this.#newSession("");
  #conn: BrowserConn | undefined;
  #running: Promise<ChatEnd> | undefined;
  #name = "";
  #data: string | undefined;
  #isOtherServer = false;
  #mayUseKept = true;
  #isLeaving = false;
  #delayedRef: string | undefined;

  /** Listens to the page. */
  constructor() {
    byId("log-out").addEventListener("click", () => this.logOut());
    addEventListener("beforeunload", (event) => {
      if (this.#session.pending.count > 0) event.preventDefault();
    });
    // The machine may have slept, or changed its network.
    addEventListener("online", () => this.#checkConnection());
    addEventListener("storage", () => this.#followLogout());
    addEventListener("visibilitychange", () => document.hidden || this.#checkConnection());
  }

  /** Runs one session after the other. */
  async run(): Promise<never> {
    for (let notice = "";;) {
      this.#outgoing.waitFor(texts.connecting);
      this.#session = this.#newSession(notice);
      this.#running = this.#session.run();
      const end = await this.#running;
      notice = noticeAfter(end, this.#session.pending.count);
      await this.#forget();
    }
  }

  /** Says something to everybody, or to one user; gives the reason if that can never be. */
  say(text: string, to?: string): string | undefined {
    const receiver = to === undefined ? {} : { to: this.#people.spellingOf(to) };
    const problem = this.#session.say(text, receiver);
    if (problem !== undefined) return reasonOf({ code: "too_long", message: problem });
    this.#outgoing.refresh();
    this.#list.showNewest();
    return undefined;
  }

  /** Shows who is here. */
  showPeople(): void {
    this.notice(texts.here(this.#people.names.map(safeText).join(", ")));
  }

  /** Shows a line about the chat. */
  notice(text: string): void {
    this.#list.notice(text);
  }

  /** Leaves, once the user is sure; without an answer of the server, only this browser forgets the login. */
  async logOut(): Promise<void> {
    const session = this.#session;
    const { count } = session.pending;
    if (count > 0 && await ask(texts.leaveTitle(count), [texts.logOut]) === undefined) return;
    this.#isLeaving = true;
    // At once: the page may be closed before the server answers.
    await this.#logins.removeName(this.#name).catch(() => {});
    session.logOut();
    if (!session.isIn || !await within(LOGOUT_MS, this.#running!)) session.close();
  }

  #newSession(notice: string): ChatSession {
    return new ChatSession({
      connect: async (signal) => this.#conn = await openWebSocket(socketUrl(location), signal),
      tls: location.protocol === "https:",
      logins: this.#logins,
      history: PAGE,
      credentials: (refusal) => this.#credentials(notice, refusal),
      onMessage: (message, own) => this.#take(message, own),
      onWait: (wait) => this.#wait(wait),
      onNotKept: (reason) => this.notice(`${texts.notKept}: ${safeText(reason)}`),
      backoff: { maxMs: MAX_BACKOFF_MS },
      isRetriable: () => true,
    });
  }

  async #credentials(notice: string, refusal?: Refusal): Promise<Credentials> {
    const last = (await this.#logins.list()).at(-1);
    const mayUseKept = this.#mayUseKept && !refusal;
    this.#mayUseKept = false;
    if (mayUseKept && last) return { name: last.name };
    this.#showChat(false);
    this.#outgoing.asked();
    return await this.#form.ask({ refusal, notice, name: last?.name ?? "" });
  }

  /** Leaves where another tab has logged this user out. */
  async #followLogout(): Promise<void> {
    const kept = await this.#logins.list();
    const isOut = this.#name !== "" && !kept.some(({ name }) => isSameName(name, this.#name));
    if (isOut) this.#session.logOut();
  }

  #checkConnection(): void {
    if (this.#session.request({ type: "ping" })) this.#conn?.closeUnlessHeard(CHECK_MS);
  }

  #wait(wait: ChatWait): void {
    this.#list.connectionLost();
    this.#outgoing.waitFor(reasonOfWait(wait), { mayWrite: this.#name !== "" });
  }

  /** Nothing of a user stays in the page after a logout. */
  async #forget(): Promise<void> {
    if (this.#isLeaving) await this.#logins.removeName(this.#name).catch(() => {});
    this.#isLeaving = false;
    this.#name = "";
    this.#outgoing.leave();
    this.#list.clear("", 0);
    this.#people.enter("");
    this.#composer.clear();
    this.#form.reset();
  }

  #take(message: ServerMessage, own?: OwnMessage): void {
    switch (message.type) {
      case "hello":
        this.#isOtherServer = this.#data !== undefined && this.#data !== message.data;
        this.#data = message.data;
        return;
      case "welcome":
        return this.#enter(message);
      case "message":
        return this.#list.add(message);
      case "said":
        return this.#takeSaid(message, own);
      case "joined":
      case "left":
        return this.#takeMovement(message);
      case "users":
        this.#people.take(message);
        return this.#list.ready();
      case "notice":
        return this.notice(safeText(message.text));
      case "error":
        return this.#takeError(message, own);
    }
  }

  #enter({ name, last, text }: ServerMessage & { type: "welcome" }): void {
    const isFirst = this.#name === "";
    const isOtherUser = !isFirst && !isSameName(name, this.#name);
    const isOtherHistory = this.#isOtherServer || last < this.#list.newest;
    if (isFirst || isOtherUser || isOtherHistory) this.#list.clear(name, isFirst ? 0 : last);
    if (!isFirst && (isOtherUser || isOtherHistory)) this.#list.loadNewest();
    if (isOtherUser) this.#composer.clear();
    this.#name = name;
    byId("me").textContent = safeText(name);
    this.#form.clear();
    this.#showChat(true);
    this.#outgoing.enter(name, this.#data, {
      send: (own) => this.#session.say(own.text, own),
      drop: (own) => this.#takeError(TOO_LATE, own),
    });
    this.#people.enter(name);
    this.#session.request({ type: "who" });
    if (isFirst && text !== undefined) this.notice(safeText(text));
  }

  #takeSaid({ id, ref }: ServerMessage & { type: "said" }, own: OwnMessage | undefined): void {
    if (ref !== this.#delayedRef) this.#delayedRef = undefined;
    this.#outgoing.refresh();
    if (!own) return;
    const to = own.type === "tell" ? { to: own.to } : {};
    this.#list.add({
      type: "message",
      id,
      at: Date.now(),
      from: this.#name,
      text: own.text,
      ...to,
    });
    if (own.type === "tell" && this.#people.isAway(own.to)) {
      this.notice(texts.notHere(safeText(own.to)));
    }
  }

  #takeMovement(message: ServerMessage & { type: "joined" | "left" }): void {
    this.#people.take(message);
    if (!isSameName(message.name, this.#name)) {
      this.notice(texts[message.type](safeText(message.name)));
    }
  }

  #takeError(message: ServerMessage & { type: "error" }, own: OwnMessage | undefined): void {
    this.#outgoing.refresh();
    const reason = safeText(reasonOf(message));
    if (own) return this.#list.notice(`${texts.notSent}: ${reason}: ${safeText(own.text)}`, true);
    const { ref, code } = message;
    if (ref === undefined || code !== "too_fast") return this.#list.notice(reason, true);
    if (this.#delayedRef === undefined) this.notice(texts.slower);
    this.#delayedRef = ref;
  }

  /** Shows the chat, or the form in its place. */
  #showChat(isShown: boolean): void {
    const wasShown = !byId("chat").hidden;
    byId("chat").hidden = byId("account").hidden = !isShown;
    byId("login").hidden = isShown;
    if (isShown && !wasShown) this.#composer.focus();
  }
}
