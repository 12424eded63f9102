/// <reference lib="dom" />
/**
 * The list of messages: a window into the history that moves as the user scrolls, of a bounded size.
 *
 * @module
 */

import type { ChatMessage } from "../../../lib/chat/protocol.ts";
import { byId, element } from "../shared/dom.ts";
import { texts } from "../shared/texts.ts";
import { arrange, messageRow, noticeRow, type Row, type RowOptions } from "./message_row.ts";
import { Unread } from "./unread.ts";

/** How many messages are asked for at once. */
export const PAGE = 100;
/** The most rows in the page: those furthest from what the user reads are removed, and loaded again on the way. */
const MAX_ROWS = 400;
/** The distance from an edge at which more is loaded, and at which the user counts as being at the end, in pixels. */
const NEAR_PX = 600;
const AT_END_PX = 48;

/** What a {@linkcode MessageList} uses. */
export interface MessageListOptions extends Pick<RowOptions, "onName"> {
  /**
   * Asks for up to {@linkcode PAGE} messages before an id; `onEnd` is called after them with their number. Returns
   * `false` without a connection.
   */
  request(before: number, onEnd: (count: number) => void): boolean;
}

/** Shows messages in the order of their ids, each once. */
export class MessageList {
  readonly #options: MessageListOptions;
  readonly #log = byId("log");
  readonly #edge = element("div", "edge");
  readonly #unread = new Unread(() => this.showNewest());
  #name = "";
  #rows: Row[] = [];
  #newest = 0; // the highest id that came, shown or not
  #page: ChatMessage[] | undefined;
  #hasEarlier = true;
  #loadedTo = Infinity; // an id: newer messages were removed from the page
  #isFollowing = true; // the user is at the end, and stays there
  #mustStick = false;
  #isReady = false;

  /** Shows nothing yet. */
  constructor(options: MessageListOptions) {
    this.#options = options;
    this.#log.addEventListener("scroll", () => this.#scrolled());
    new ResizeObserver(() => this.#isFollowing && this.#stick()).observe(this.#log);
    addEventListener("focus", () => this.#markRead());
    document.addEventListener("visibilitychange", () => this.#markRead());
    this.#log.append(this.#edge);
  }

  /** The highest id that came. */
  get newest(): number {
    return this.#newest;
  }

  get #hasLater(): boolean {
    return this.#loadedTo < this.#newest;
  }

  get #isSeen(): boolean {
    return this.#isFollowing && !document.hidden && document.hasFocus();
  }

  /** Removes everything, and takes what comes above an id for new: another user is logged in, or a history begins. */
  clear(name: string, newest: number): void {
    if (name !== this.#name) this.#isReady = false;
    this.#name = name;
    this.#rows.forEach(({ element }) => element.remove());
    this.#rows = [];
    this.#newest = newest;
    this.#page = undefined;
    this.#hasEarlier = this.#isFollowing = true;
    this.#loadedTo = Infinity;
    this.#edge.textContent = "";
    this.#unread.clear();
  }

  /** Takes a message: a new one, or one of the page that was asked for. */
  add(message: ChatMessage): void {
    if (message.id <= this.#newest) return void this.#page?.push(message);
    const { from, id, replay = false } = message;
    const isShown = !this.#hasLater;
    this.#newest = id;
    if (this.#isReady && from !== this.#name && !(isShown && this.#isSeen)) this.#unread.add();
    if (isShown) this.#append(this.#rowOf(message), replay);
  }

  /** What the server sends first is there: from now on, messages count as unread until they are seen. */
  ready(): void {
    this.#isReady = true;
    this.#scrolled();
  }

  /** Adds a line about the chat at the end. */
  notice(text: string, isProblem = false): void {
    if (!this.#hasLater) this.#append(noticeRow(text, isProblem), false);
  }

  /** Goes to the newest message. */
  showNewest(): void {
    this.#isFollowing = true;
    if (!this.#hasLater) return this.#stick();
    this.clear(this.#name, this.#newest);
    this.loadNewest();
  }

  /** Loads the newest messages. */
  loadNewest(): void {
    this.#load(this.#newest + 1);
  }

  /** Gives up what was asked for: the connection is lost. */
  connectionLost(): void {
    this.#page = undefined;
  }

  #rowOf(message: ChatMessage): Row {
    return messageRow(message, { name: this.#name, onName: this.#options.onName });
  }

  #append(row: Row, isQuiet: boolean): void {
    this.#log.ariaLive = isQuiet ? "off" : "polite";
    this.#insert([row], this.#rows.length);
    if (!this.#isFollowing) return this.#removeLast();
    this.#removeFirst();
    if (!this.#mustStick) requestAnimationFrame(() => this.#stick());
    this.#mustStick = true;
  }

  #insert(rows: Row[], at: number): void {
    const next = this.#rows[at];
    for (const { element } of rows) this.#log.insertBefore(element, next?.element ?? null);
    this.#rows.splice(at, 0, ...rows);
    // The row after them may stand together with the last of them now.
    for (let i = at; i <= at + rows.length && i < this.#rows.length; i++) this.#arrange(i);
  }

  #arrange(index: number): void {
    let before = index - 1;
    while (before >= 0 && !this.#rows[before]!.message) before--;
    arrange(this.#rows[index]!, this.#rows[before]);
  }

  /** Asks for messages before an id, and shows those that are not shown yet. */
  #load(before: number): void {
    if (this.#page) return;
    const page: ChatMessage[] = this.#page = [];
    const isAsked = this.#options.request(before, (count) => {
      if (this.#page !== page) return;
      this.#page = undefined;
      if (count === 0) this.#hasEarlier = false;
      this.#showPage(page, before);
    });
    if (!isAsked) this.#page = undefined;
    else if (this.#hasEarlier) this.#edge.textContent = texts.loadingEarlier;
  }

  #showPage(page: ChatMessage[], before: number): void {
    this.#log.ariaLive = "off";
    const oldest = this.#rows.find(({ message }) => message)?.message?.id ?? Infinity;
    const unique = [...new Map(page.map((each) => [each.id, each])).values()];
    const rowsOf = (messages: ChatMessage[]) => messages.map((each) => this.#rowOf(each));
    const earlier = rowsOf(unique.filter(({ id }) => id < oldest));
    const later = rowsOf(unique.filter(({ id }) => id >= oldest && id > this.#loadedTo));
    if (before > oldest) this.#loadedTo = before - 1;
    if (!this.#hasLater) this.#loadedTo = Infinity;
    this.#keepPlace(() => {
      this.#insert(earlier, 0);
      this.#insert(later, this.#rows.length);
      if (later.length > 0) this.#removeFirst();
      else this.#removeLast();
    });
    this.#edge.textContent = this.#hasEarlier ? "" : texts.beginning;
    this.#scrolled();
  }

  /** Changes rows above the ones that the user sees, which stay where they are. */
  #keepPlace(change: () => void): void {
    if (this.#isFollowing) {
      change();
      return this.#stick();
    }
    const top = this.#log.getBoundingClientRect().top;
    const seen = this.#rows.find(({ element }) => element.getBoundingClientRect().bottom > top);
    const before = seen?.element.getBoundingClientRect().top ?? 0;
    change();
    const after = seen?.element.getBoundingClientRect().top ?? 0;
    this.#log.scrollTop += after - before;
  }

  #removeFirst(): void {
    const removed = this.#rows.splice(0, Math.max(0, this.#rows.length - MAX_ROWS));
    if (removed.length === 0) return;
    removed.forEach(({ element }) => element.remove());
    this.#hasEarlier = true;
    this.#edge.textContent = "";
    this.#arrange(0);
  }

  #removeLast(): void {
    if (this.#rows.length <= MAX_ROWS) return;
    this.#rows.splice(MAX_ROWS).forEach(({ element }) => element.remove());
    this.#loadedTo = this.#rows.findLast(({ message }) => message)?.message?.id ?? 0;
  }

  #stick(): void {
    this.#mustStick = false;
    if (this.#isFollowing) this.#log.scrollTop = this.#log.scrollHeight;
    this.#scrolled();
  }

  #scrolled(): void {
    if (this.#mustStick) return;
    const { scrollTop, scrollHeight, clientHeight } = this.#log;
    if (clientHeight === 0) return; // not shown
    const below = scrollHeight - scrollTop - clientHeight;
    this.#isFollowing = !this.#hasLater && below < AT_END_PX;
    this.#markRead();
    this.#unread.show({ atEnd: this.#isFollowing });
    if (!this.#isReady) return;
    const oldest = this.#rows.find(({ message }) => message)?.message?.id ?? 1;
    if (scrollTop < NEAR_PX && this.#hasEarlier) this.#load(oldest);
    else if (below < NEAR_PX && this.#hasLater) this.#load(this.#loadedTo + PAGE + 1);
  }

  #markRead(): void {
    if (this.#isSeen) this.#unread.clear();
  }
}
