/// <reference lib="dom" />
/**
 * One message, or one line about the chat, as elements of the list.
 *
 * @module
 */

import { isSameName, keyOfText } from "../../../lib/chat/name.ts";
import type { ChatMessage } from "../../../lib/chat/protocol.ts";
import { safeText } from "../../../lib/base/escape.ts";
import { button, element } from "../shared/dom.ts";
import { locale, texts } from "../shared/texts.ts";

const LINK = /https?:\/\/[^\s<>"`]+/gi;
/** What ends a sentence, and not an address. */
const AFTER_LINK = /[.,:;!?'»”…)\]}]+$/;
const WORDS = /[\p{L}\p{M}\p{Nd}_-]+/gu;

/** Messages of one author within this time stand together, in milliseconds. */
const TOGETHER_MS = 5 * 60_000;
const HUES = 8;

const CLOCK = new Intl.DateTimeFormat(locale, { hour: "numeric", minute: "2-digit" });
const DAY = new Intl.DateTimeFormat(locale, {
  weekday: "long",
  day: "numeric",
  month: "long",
  year: "numeric",
});
const WHOLE = new Intl.DateTimeFormat(locale, { dateStyle: "full", timeStyle: "medium" });

/** A row of the list. */
export interface Row {
  /** What is in the page. */
  element: HTMLElement;
  /** The message; `undefined` for a line about the chat. */
  message?: ChatMessage;
}

/** A part of a text. */
interface Part {
  kind: "text" | "link" | "word";
  text: string;
}

/** What rows are made with. */
export interface RowOptions {
  /** The user's own name. */
  name: string;
  /** Called when the name of an author is clicked. */
  onName(name: string): void;
}

/** Makes a line about the chat. */
export function noticeRow(text: string, isProblem = false): Row {
  return { element: element("div", isProblem ? "notice problem" : "notice", text) };
}

/** Makes a row of a message. */
export function messageRow(message: ChatMessage, { name, onName }: RowOptions): Row {
  const { from, to, text } = message;
  const isOwn = isSameName(from, name);
  const classes = ["row"];
  if (isOwn) classes.push("own");
  if (to !== undefined) classes.push("private");
  const body = element("p", "text", ...textNodes(text, isOwn ? "" : keyOfText(name)));
  if (body.querySelector("mark")) classes.push("mention");
  body.dir = "auto";
  const bubble = element("div", "bubble", author(message, isOwn, onName), body, timeOf(message.at));
  const row = element("div", classes.join(" "), bubble);
  row.dataset["id"] = `${message.id}`;
  return { element: element("div", "entry", row), message };
}

/** Makes a row of an own message that is not stored yet. */
export function waitingRow(text: string, to?: string): HTMLElement {
  const body = element("p", "text", safeText(text));
  body.dir = "auto";
  const receiver = to === undefined ? [] : [element("span", "to", texts.privateTo(safeText(to)))];
  const bubble = element(
    "div",
    "bubble",
    ...receiver,
    body,
    element("span", "time", texts.waitsToBeSent),
  );
  return element("li", to === undefined ? "row own" : "row own private", bubble);
}

/**
 * Shows the day of a message, where it is not that of the message `before`, and its author, unless both stand together.
 */
export function arrange({ element: entry, message }: Row, before?: Row): void {
  if (!message) return;
  const previous = before?.message;
  const day = dayOf(message.at);
  const isNewDay = !previous || dayOf(previous.at) !== day;
  entry.querySelector(".day")?.remove();
  if (isNewDay) entry.prepend(element("div", "day", day));
  const isSame = !isNewDay && previous.from === message.from && previous.to === message.to &&
    message.at - previous.at < TOGETHER_MS && entry.previousElementSibling === before.element;
  entry.querySelector(".row")!.classList.toggle("same", isSame);
}

/** The number of the colour of a name, which is the same in capitals. */
export function hueOf(name: string): number {
  let hash = 0x811c9dc5; // FNV-1a, 32 bits
  for (const char of name.slice(0, 256).toLowerCase()) {
    hash = Math.imul(hash ^ char.codePointAt(0)!, 0x01000193);
  }
  return (hash >>> 0) % HUES;
}

function author({ from, to }: ChatMessage, isOwn: boolean, onName: (name: string) => void) {
  const line = element("div", "author");
  if (isOwn) line.append(element("span", "name me", texts.you));
  else {
    const name = button("", `name hue-${hueOf(from)}`, () => onName(from));
    name.append(element("bdi", "", safeText(from)));
    name.title = texts.writeTo(safeText(from));
    name.tabIndex = -1; // The list of people is the way for the keyboard.
    line.append(name);
  }
  if (to !== undefined) {
    const receiver = isOwn ? texts.privateTo(safeText(to)) : texts.privateToYou;
    line.append(" ", element("span", "to", receiver));
  }
  return line;
}

function timeOf(at: number): HTMLElement {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return element("span", "time", texts.noTime);
  const time = element("time", "time", CLOCK.format(date));
  time.dateTime = date.toISOString();
  time.title = WHOLE.format(date);
  return time;
}

function dayOf(at: number): string {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return texts.noTime;
  const now = new Date();
  if (date.toDateString() === now.toDateString()) return texts.today;
  now.setDate(now.getDate() - 1);
  return date.toDateString() === now.toDateString() ? texts.yesterday : DAY.format(date);
}

/** Makes nodes of a text; words that spell the name with this key are marked as mentions. */
function textNodes(text: string, key: string): (Node | string)[] {
  return split(text, LINK, "link").flatMap((part) =>
    part.kind === "link" ? linkNodes(part.text) : plainNodes(part.text, key)
  );
}

function plainNodes(text: string, key: string): (Node | string)[] {
  const nodes: (Node | string)[] = [];
  let plain = "";
  for (const { kind, text: part } of split(text, WORDS, "word")) {
    if (kind === "text" || key === "" || keyOfText(part) !== key) plain += part;
    else {
      nodes.push(safeText(plain), element("mark", "", safeText(part)));
      plain = "";
    }
  }
  return [...nodes, safeText(plain)];
}

/** A link opens a new page, which is told neither where it comes from nor who opened it. */
function linkNodes(text: string): (Node | string)[] {
  const end = AFTER_LINK.exec(text)?.[0] ?? "";
  // A bracket that was opened inside belongs to the address.
  const isWhole = end.startsWith(")") && text.slice(0, -end.length).includes("(");
  const address = text.slice(0, text.length - end.length + (isWhole ? 1 : 0));
  const rest = text.slice(address.length);
  const url = URL.canParse(address) ? new URL(address) : undefined;
  const isSafe = url && ["http:", "https:"].includes(url.protocol) && url.username === "" &&
    url.password === "" && safeText(address) === address;
  if (!isSafe) return [safeText(text)];
  const link = element("a", "", address);
  link.href = url.href;
  link.target = "_blank";
  link.rel = "noopener noreferrer";
  return rest === "" ? [link] : [link, safeText(rest)];
}

function split(text: string, pattern: RegExp, kind: Part["kind"]): Part[] {
  const parts: Part[] = [];
  let end = 0;
  for (const match of text.matchAll(pattern)) {
    if (match.index > end) parts.push({ kind: "text", text: text.slice(end, match.index) });
    parts.push({ kind, text: match[0] });
    end = match.index + match[0].length;
  }
  if (end < text.length) parts.push({ kind: "text", text: text.slice(end) });
  return parts;
}
