/// <reference lib="dom" />
/**
 * What the page waits for: a connection, and until own messages are stored.
 *
 * @module
 */

import type { ChatWait } from "../../session/session_options.ts";
import type { OwnMessage } from "../../session/pending.ts";
import { byId } from "../shared/dom.ts";
import { texts } from "../shared/texts.ts";
import { waitingRow } from "./message_row.ts";

/** The most messages that are shown; the banner says how many there are. */
const MAX_SHOWN = 20;
/** A message that is stored within this time is not shown as waiting, in milliseconds. */
const UNNOTICED_MS = 300;

/** Shows the banner, and the messages that wait. */
export class Outgoing {
  readonly #banner = byId("banner");
  readonly #list = byId("waiting");
  readonly #messages: () => OwnMessage[];
  #reason = "";
  #mayWrite = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Takes what gives the messages that wait. */
  constructor(messages: () => OwnMessage[]) {
    this.#messages = messages;
  }

  /** There is a connection. */
  connected(): void {
    this.#reason = "";
    this.refresh();
  }

  /** There is none yet, for this reason; `mayWrite`: the user sees the chat. */
  waitFor(reason: string, { mayWrite = false } = {}): void {
    this.#reason = reason;
    this.#mayWrite = mayWrite;
    this.refresh();
  }

  /** The messages that wait have changed. */
  refresh(): void {
    const delayMs = this.#reason === "" ? UNNOTICED_MS : 0;
    const isEmpty = this.#messages().length === 0;
    if (isEmpty || delayMs === 0) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
      this.#show();
    } else this.#timer ??= setTimeout(() => this.#show(), delayMs);
  }

  #show(): void {
    this.#timer = undefined;
    const messages = this.#messages();
    const rows = messages.slice(0, MAX_SHOWN).map((own) =>
      waitingRow(own.text, own.type === "tell" ? own.to : undefined)
    );
    this.#list.replaceChildren(...rows);
    this.#list.hidden = rows.length === 0;
    this.#setBanner(messages.length);
  }

  #setBanner(count: number): void {
    const rest = count > 0 ? texts.willBeSent(count) : this.#mayWrite ? texts.nothingIsLost : "";
    const text = this.#reason === "" ? "" : `${this.#reason} ${rest}`.trim();
    // Setting the same text again would be read out again.
    if (this.#banner.textContent !== text) this.#banner.textContent = text;
  }
}

/** Says why there is no connection. It stays true for all attempts. */
export function reasonOfWait({ bye }: ChatWait): string {
  if (bye === "paused") return texts.paused;
  if (bye === "shutdown") return texts.stopped;
  return bye === "full" ? texts.full : texts.noConnection;
}
