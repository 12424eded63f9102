/// <reference lib="dom" />
/**
 * What the page waits for: a connection, and until own messages are stored. A reload of the page keeps them.
 *
 * @module
 */

import type { ChatWait } from "../../session/session_options.ts";
import type { OwnMessage } from "../../session/pending.ts";
import { LOGIN_ENDED } from "../../session/state.ts";
import {
  parseClientMessage,
  type ParsedMessage,
  type ServerMessage,
} from "../../../lib/chat/protocol.ts";
import { byId } from "../shared/dom.ts";
import { texts } from "../shared/texts.ts";
import { waitingRow } from "./message_row.ts";

/** The most messages that are shown; the banner says how many there are. */
const MAX_SHOWN = 20;
/** A message that is stored within this time is not shown as waiting, in milliseconds. */
const UNNOTICED_MS = 300;

const KEY = "framed-unsent";

/** What is shown for a message that must not be sent any more. */
export const TOO_LATE: ServerMessage & { type: "error" } = {
  type: "error",
  code: "unauthorized",
  message: LOGIN_ENDED,
};

/** What is done with the messages that were left. */
export interface LeftOptions {
  /** Sends one. */
  send(own: OwnMessage): void;
  /** Says that one is not sent. */
  drop(own: OwnMessage): void;
}

/** Shows the banner, and the messages that wait. */
export class Outgoing {
  readonly #banner = byId("banner");
  readonly #list = byId("waiting");
  readonly #messages: () => OwnMessage[];
  #reason = "";
  #mayWrite = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Whose messages they are, as text: those of another account must not be sent. */
  #owner: string | undefined;
  #wasAsked = false;

  /** Takes what gives the messages that wait. */
  constructor(messages: () => OwnMessage[]) {
    this.#messages = messages;
  }

  /** There is a connection. */
  connected(): void {
    this.#reason = "";
    this.refresh();
  }

  /** There is one, and the user is asked to log in: private messages of before may be for accounts that are gone. */
  asked(): void {
    this.#wasAsked = true;
    this.connected();
  }

  /**
   * The user is logged in at a server with this data. At the first login of the page, `send` gets what the same user had
   * left when it was closed, with the refs by which the server knows what it has stored; `drop` gets what must not be sent.
   */
  enter(name: string, data: string | undefined, { send, drop }: LeftOptions): void {
    const isFirst = this.#owner === undefined;
    this.#owner = JSON.stringify([name, data]);
    for (const own of isFirst ? readUnsent(this.#owner) : []) {
      if (own.type === "tell" && this.#wasAsked) drop(own);
      else send(own);
    }
    this.connected();
  }

  /** The user is logged out: nothing is kept. */
  leave(): void {
    this.#owner = undefined;
    writeUnsent("", []);
  }

  /** There is none yet, for this reason; `mayWrite`: the user sees the chat. */
  waitFor(reason: string, { mayWrite = false } = {}): void {
    this.#reason = reason;
    this.#mayWrite = mayWrite;
    this.refresh();
  }

  /** The messages that wait have changed. */
  refresh(): void {
    if (this.#owner !== undefined) writeUnsent(this.#owner, this.#messages());
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

function writeUnsent(owner: string, messages: OwnMessage[]): void {
  try {
    if (messages.length === 0) return sessionStorage.removeItem(KEY);
    const texts = messages.map((message) => JSON.stringify(message));
    sessionStorage.setItem(KEY, JSON.stringify([owner, ...texts]));
  } catch {
    // The storage is switched off, or full. The browser asks before it leaves the page.
  }
}

function readUnsent(ofOwner: string): OwnMessage[] {
  try {
    const [owner, ...texts]: string[] = JSON.parse(sessionStorage.getItem(KEY) ?? "[]");
    if (owner !== ofOwner) return [];
    return texts.map((text) => messageIn(parseClientMessage(text))).filter((message) =>
      message !== undefined
    );
  } catch {
    return []; // The storage is switched off, or has something else.
  }
}

function messageIn(parsed: ParsedMessage): OwnMessage | undefined {
  const message = "message" in parsed ? parsed.message : undefined;
  return message?.type === "say" || message?.type === "tell" ? message : undefined;
}
