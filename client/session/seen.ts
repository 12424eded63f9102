/**
 * Which messages of a chat were seen, so that each is shown once.
 *
 * @module
 */

import type { ChatMessage } from "../../lib/chat/protocol.ts";

/** A page of earlier messages that was asked for. */
interface Page {
  before: number;
  onEnd(count: number): void;
  count: number;
}

/**
 * Remembers the span of ids that was seen: the server sends ids in order, so two numbers are enough.
 *
 * Ids rise. Lower ones than the newest come again after a reconnect, and are not new; or they are on a page of earlier
 * messages, and are wanted.
 */
export class SeenMessages {
  #newest: number | undefined;
  #oldest: number | undefined;
  readonly #pages: Page[] = [];

  /** The highest id seen, for the `since` of the next `hello`. */
  get newest(): number | undefined {
    return this.#newest;
  }

  /** The lowest id seen and not forgotten: earlier messages are before it. */
  get oldest(): number | undefined {
    return this.#oldest;
  }

  /**
   * Takes the `last` of a welcome: a client that wants no history has seen all up to it. Where ids above it were seen,
   * the server has lost its history and starts anew.
   */
  enter(last: number, wantsHistory: boolean): void {
    if (this.#newest === undefined && (!wantsHistory || last === 0)) this.#newest = last;
    if (this.#newest !== undefined && this.#newest > last) this.#newest = this.#oldest = last;
  }

  /** Forgets what was seen: the server has other data now. */
  reset(): void {
    this.#newest = this.#oldest = undefined;
  }

  /** Notes that there was nothing to see up to an id, unless something was seen. */
  seeNothingUpTo(last: number): void {
    this.#newest ??= last;
  }

  /** Notes an id, and returns whether it is new. */
  see(id: number): boolean {
    if (id <= (this.#newest ?? -1)) return false;
    this.#newest = id;
    this.#oldest ??= id;
    return true;
  }

  /** Notes a message, and returns whether to show it: it is new, or on a page. */
  seeMessage({ id, replay }: ChatMessage): boolean {
    if (this.see(id)) return true;
    const [page] = this.#pages;
    if (!replay || !page || id >= page.before) return false;
    if (page.count++ === 0 && id < (this.#oldest ?? Infinity)) this.#oldest = id;
    return true;
  }

  /** Takes everything seen for earlier: it is shown no more. */
  forgetShown(): void {
    this.#oldest = undefined;
  }

  /** Expects a page of messages before an id, after the pages expected already. */
  expectPage(before: number, onEnd: (count: number) => void): void {
    this.#pages.push({ before, count: 0, onEnd });
  }

  /** Ends the page that was expected first. */
  endPage(): void {
    const page = this.#pages.shift();
    page?.onEnd(page.count);
  }

  /** Expects no pages any more: the connection that they were asked on is lost. */
  forgetPages(): void {
    this.#pages.length = 0;
  }
}
