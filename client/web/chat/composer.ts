/// <reference lib="dom" />
/**
 * Where the user writes, to everybody or to one person, and what a line means.
 *
 * @module
 */

import { safeText } from "../../../lib/base/escape.ts";
import { ask, byId } from "../shared/dom.ts";
import { texts } from "../shared/texts.ts";

/** The most lines that are sent at once. */
const MAX_LINES = 200;
const MAX_SHOWN_CHARS = 2000;

/** What a {@linkcode Composer} calls. */
export interface ComposerOptions {
  /** Takes a line and its receiver; gives the reason if it cannot be sent. */
  onLine(line: string, to?: string): string | undefined;
}

/** Takes lines from the user. */
export class Composer {
  readonly #options: ComposerOptions;
  readonly #form = byId("composer", HTMLFormElement);
  readonly #box = byId("message", HTMLTextAreaElement);
  readonly #problem = byId("message-problem");
  readonly #receiver = byId("receiver");
  #to: string | undefined;

  /** Listens to the form. */
  constructor(options: ComposerOptions) {
    this.#options = options;
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#box.addEventListener("keydown", (event) => this.#press(event));
    this.#box.addEventListener("paste", (event) => this.#paste(event));
    this.#box.addEventListener("input", () => this.#refuse(undefined));
    byId("to-everybody").addEventListener("click", () => this.writeTo(undefined));
    this.writeTo(undefined);
  }

  /** What is sent from now on is for one person, or for everybody. */
  writeTo(name: string | undefined): void {
    this.#to = name;
    this.#receiver.hidden = name === undefined;
    const label = name === undefined ? "" : texts.privateTo(safeText(name));
    byId("receiver-name").textContent = label;
    this.#box.placeholder = label || texts.everybodyHint;
    this.#box.focus();
  }

  /** Forgets the text and its receiver: another user is here. */
  clear(): void {
    this.#box.value = "";
    this.writeTo(undefined);
    this.#refuse(undefined);
  }

  /** Sets the focus, except where that opens a keyboard over half of the screen. */
  focus(): void {
    if (!matchMedia("(pointer: coarse)").matches) this.#box.focus();
  }

  #press(event: KeyboardEvent): void {
    if (event.key === "Escape" && this.#to !== undefined) this.writeTo(undefined);
    // While an input method composes a character, Enter belongs to it.
    if (event.key !== "Enter" || event.isComposing) return;
    event.preventDefault();
    this.#submit();
  }

  #submit(): void {
    const lines = linesOf(this.#box.value);
    if (lines.length > 1) return void this.#askForLines(lines);
    const [line] = lines;
    if (line === undefined || this.#send(line)) this.#box.value = "";
    this.#box.focus();
  }

  #send(line: string): boolean {
    const problem = this.#options.onLine(line, this.#to);
    this.#refuse(problem);
    return problem === undefined;
  }

  #refuse(problem: string | undefined): void {
    this.#problem.textContent = problem ?? "";
    this.#box.ariaInvalid = problem === undefined ? null : "true";
  }

  /** A message is one line. */
  #paste(event: ClipboardEvent): void {
    const text = event.clipboardData?.getData("text/plain") ?? "";
    const lines = linesOf(text);
    if (lines.length < 2) return;
    event.preventDefault();
    const { value, selectionStart, selectionEnd } = this.#box;
    const before = value.slice(0, selectionStart) + lines[0];
    const after = lines.at(-1) + value.slice(selectionEnd);
    this.#askForLines([before, ...lines.slice(1, -1), after]);
  }

  async #askForLines(lines: string[]): Promise<void> {
    if (lines.length > MAX_LINES) return this.#refuse(texts.tooManyLines(MAX_LINES));
    const shown = lines.map(safeText).join("\n").slice(0, MAX_SHOWN_CHARS);
    const answers = [texts.sendEach(lines.length), texts.joinLines];
    const answer = await ask(texts.pasteTitle(lines.length), answers, shown);
    if (answer === 1) this.#box.value = lines.join(" ");
    if (answer === 0) {
      const unsent = lines.findIndex((line) => !this.#send(line));
      this.#box.value = unsent < 0 ? "" : lines.slice(unsent).join(" ");
    }
    this.#box.focus();
  }
}

function linesOf(text: string): string[] {
  return text.split(/\r\n|[\n\r\u2028\u2029]/).filter((line) => line.trim() !== "");
}

/** What commands work on. */
export interface CommandTarget {
  /** Says something to everybody, or to one user; gives the reason if that can never be. */
  say(text: string, to?: string): string | undefined;
  /** Shows who is here. */
  showPeople(): void;
  /** Shows a line about the chat. */
  notice(text: string): void;
  /** Leaves. */
  logOut(): void;
}

/** Does what a line says; `to` is the receiver of messages. Gives the reason if it cannot be done. */
export function runLine(
  line: string,
  to: string | undefined,
  target: CommandTarget,
): string | undefined {
  if (!line.startsWith("/")) return target.say(line, to);
  if (line.startsWith("//")) return target.say(line.slice(1), to);
  const [, name = "", argument = ""] = /^\/(\S*)\s*(.*?)\s*$/s.exec(line)!;
  switch (name.toLowerCase()) {
    case "msg":
    case "tell":
      return tellOne(argument, target);
    case "who":
      target.showPeople();
      return undefined;
    case "help":
      target.notice(texts.help);
      return undefined;
    case "logout":
      target.logOut();
      return undefined;
    default:
      return texts.noCommand(name);
  }
}

function tellOne(argument: string, target: CommandTarget): string | undefined {
  const [, receiver, text] = /^(\S+)\s+(.+)$/s.exec(argument) ?? [];
  if (receiver === undefined || text === undefined) return texts.usage("/msg NAME text");
  return target.say(text, receiver);
}
