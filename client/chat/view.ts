/**
 * What the server sends, as lines for a person, or as JSON for a bot.
 *
 * @module
 */

import { nameStyle, type Paint } from "../../lib/terminal/color.ts";
import { escapeControl, safeText } from "../../lib/base/escape.ts";
import { isSameName } from "../../lib/chat/name.ts";
import type { ByeReason, ChatMessage, ServerMessage } from "../../lib/chat/protocol.ts";
import type { ChatWait } from "../session/session_options.ts";
import type { OwnMessage } from "../session/pending.ts";
import { noConnection, waitMessage } from "../shared/failure.ts";

/** Something to show. */
export interface Shown {
  /** One line, safe for a terminal. */
  text: string;
  /** Whether it is about the client rather than from the chat. */
  isService?: true;
  /** Whether to ring the bell. */
  rings?: true;
}

const BYES: Record<ByeReason, string> = {
  shutdown: "The server stops",
  paused: "The server pauses",
  kicked: "The operator has ended your connection",
  too_slow: "The server could not wait for this client",
  idle: "The server has heard nothing for too long",
  protocol: "The server could not go on",
  logged_out: "Logged out",
  full: "The server is full",
};

/** The most names in one line. */
const MAX_NAMES_SHOWN = 100;
/** The most characters of a text that is only mentioned. */
const MAX_EXCERPT = 40;
const WORDS = /[\p{L}\p{M}\p{Nd}_-]+/gu;

/**
 * Turns messages into lines. Whatever a peer sent is escaped.
 *
 * An own message begins with `>` and a private one has its reader in brackets: no name can look like that.
 */
export class ChatView {
  readonly #paint: Paint;
  readonly #now: () => number;
  #name = "";
  #delayedRef: string | undefined;
  #waitText = "";

  /** Takes how to colour; `now` gives the time in milliseconds since 1970. */
  constructor(paint: Paint, now: () => number = Date.now) {
    this.#paint = paint;
    this.#now = now;
  }

  /** Shows a message; `own` as in `ChatSessionOptions.onMessage`. */
  show(message: ServerMessage, own?: OwnMessage): Shown | undefined {
    switch (message.type) {
      case "welcome":
        return this.#welcome(message);
      case "message":
        return this.#chatMessage(message);
      case "said":
        return this.#said(message, own);
      case "joined":
      case "left":
        return this.#movement(message);
      case "users":
        return this.#users(message);
      case "you":
        return { text: `You are ${this.#named(message.name)}` };
      case "notice":
        return { text: this.#paint(`Notice: ${safeText(message.text)}`, "yellow") };
      case "error":
        return this.#error(message, own);
      case "bye":
        return service(byeOf(message.reason));
      default:
        return undefined;
    }
  }

  /** Shows what was typed and cannot be sent yet. */
  waiting(own: OwnMessage): Shown {
    return { text: this.#paint(`waits to be sent${receiverOf(own)}: ${excerpt(own.text)}`, "dim") };
  }

  /** Shows that a private message is for a user who is away. */
  away(name: string): Shown {
    return service(`${safeText(name)} is not here: the message is delivered when they come back`);
  }

  /** Shows the first wait for a connection, and the next one for another reason: it must stay true for all of them. */
  wait(address: string, wait: ChatWait): Shown | undefined {
    const reason = wait.error instanceof Error ? wait.error.message : `${wait.bye}`;
    if (wait.attempt > 1 && reason === this.#waitText) return undefined;
    this.#waitText = reason;
    return service(escapeControl(
      wait.error === undefined
        ? waitMessage(address, wait)
        : `${noConnection(address, wait.error)}; trying again until the server answers`,
    ));
  }

  #users({ names, more = 0 }: ServerMessage & { type: "users" }): Shown {
    const shown = names.slice(0, MAX_NAMES_SHOWN).map((name) => this.#named(name));
    const others = names.length - shown.length + more;
    const rest = others > 0 ? ` and ${others} more` : "";
    return { text: `Here: ${shown.join(", ")}${rest}` };
  }

  #welcome({ name, text }: ServerMessage & { type: "welcome" }): Shown {
    const isBack = this.#name === name;
    this.#name = name;
    this.#waitText = "";
    if (isBack) return service("Connected again");
    const greeting = text === undefined ? "" : `. ${safeText(text)}`;
    return service(`Logged in as ${safeText(name)}${greeting}`);
  }

  #said(
    { ref, id }: ServerMessage & { type: "said" },
    own: OwnMessage | undefined,
  ): Shown | undefined {
    if (ref !== this.#delayedRef) this.#delayedRef = undefined;
    if (!own) return undefined;
    const { text } = own;
    const to = own.type === "tell" ? { to: own.to } : {};
    return this.#chatMessage({
      type: "message",
      id,
      at: this.#now(),
      from: this.#name,
      text,
      ...to,
    });
  }

  #chatMessage({ at, from, text, to, replay }: ChatMessage): Shown {
    const isOwn = from === this.#name;
    const receiver = to === undefined ? "" : ` (to ${this.#named(to)})`;
    const said = safeText(text);
    const line = [
      this.#time(at),
      isOwn ? ">" : " ",
      `${this.#named(from)}${receiver}:`,
      replay ? this.#paint(said, "dim") : said,
    ];
    const rings = !isOwn && !replay && (to !== undefined || this.#mentionsMe(text));
    return { text: line.join(" "), ...(rings && { rings }) };
  }

  #mentionsMe(text: string): boolean {
    return text.match(WORDS)?.some((word) => isSameName(word, this.#name)) ?? false;
  }

  #movement({ type, name, at }: { type: "joined" | "left"; name: string; at: number }):
    | Shown
    | undefined {
    if (name === this.#name) return undefined;
    return { text: `${this.#time(at)}   ${this.#paint(`${safeText(name)} ${type}`, "dim")}` };
  }

  #error(
    { code, message, ref }: ServerMessage & { type: "error" },
    own: OwnMessage | undefined,
  ): Shown | undefined {
    const text = safeText(message);
    if (own) return this.#problem(`Not sent${receiverOf(own)}: ${text}: ${excerpt(own.text)}`);
    if (ref === undefined || code !== "too_fast") return this.#problem(text);
    const isTold = this.#delayedRef !== undefined;
    this.#delayedRef = ref;
    return isTold ? undefined : service("Slower: messages wait until the server takes them");
  }

  #problem(text: string): Shown {
    return service(this.#paint(text, "red"));
  }

  #named(name: string): string {
    const styles = name === this.#name ? ["bold", nameStyle(name)] as const : [nameStyle(name)];
    return this.#paint(safeText(name), ...styles);
  }

  /** The time of today's messages, and the day before that of others. */
  #time(at: number): string {
    const time = new Date(at);
    const twoDigits = (number: number) => `${number}`.padStart(2, "0");
    const clock = `${twoDigits(time.getHours())}:${twoDigits(time.getMinutes())}`;
    const day = `${time.getFullYear()}-${twoDigits(time.getMonth() + 1)}-${
      twoDigits(time.getDate())
    }`;
    if (Number.isNaN(time.getTime())) return this.#paint("--:--", "dim");
    const isToday = time.toDateString() === new Date(this.#now()).toDateString();
    return this.#paint(isToday ? clock : `${day} ${clock}`, "dim");
  }
}

function service(text: string): Shown {
  return { text, isService: true };
}

/** A reason such as `constructor` is in no table, though every object has it. */
function byeOf(reason: ByeReason): string {
  return Object.hasOwn(BYES, reason) ? BYES[reason] : "The server ended the connection";
}

function receiverOf(own: OwnMessage): string {
  return own.type === "say" ? "" : ` (to ${safeText(own.to)})`;
}

/** The first words of a text. */
function excerpt(text: string): string {
  const characters = [...text.slice(0, 4 * MAX_EXCERPT)];
  if (characters.length <= MAX_EXCERPT) return safeText(characters.join(""));
  return `${safeText(characters.slice(0, MAX_EXCERPT).join("").trimEnd())}…`;
}

const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** Writes a message as one line of JSON without control characters, and without the token, which is a secret. */
export function botLine(message: ServerMessage): string {
  const shown = message.type === "welcome" ? { ...message, token: undefined } : message;
  return JSON.stringify(shown).replace(INVISIBLE, (char) =>
    Array.from(
      { length: char.length },
      (_, i) => `\\u${char.charCodeAt(i).toString(16).padStart(4, "0")}`,
    ).join(""));
}
