/**
 * The chat client between its terminal, or pipe, and its session.
 *
 * @module
 */

import { count } from "../../lib/base/numbers.ts";
import { within } from "../../lib/base/within.ts";
import type { ServerMessage } from "../../lib/chat/protocol.ts";
import type { Terminal } from "../../lib/terminal/terminal.ts";
import type { ChatRequest, ChatSessionOptions, ChatWait } from "../session/session_options.ts";
import type { OwnMessage } from "../session/pending.ts";
import { ChatSession } from "../session/session.ts";
import { LOGIN_ENDED } from "../session/state.ts";
import { commandsOf, type CommandTarget, runBotLine, runChatLine } from "./chat_commands.ts";
import { Names } from "./names.ts";
import { botLine, type ChatView, type Shown } from "./view.ts";

/** What a {@linkcode ChatClient} puts together. */
export interface ChatClientOptions
  extends Omit<ChatSessionOptions, "onMessage" | "onWait" | "onNotKept"> {
  /** Where lines come from and go to. */
  terminal: Pick<
    Terminal,
    "isInteractive" | "print" | "ring" | "clear" | "setPrompt" | typeof Symbol.asyncIterator
  >;
  /** Shows what the client says about itself. */
  tell(text: string): void;
  /** Makes lines of messages. */
  view: ChatView;
  /** The server's address, for messages. */
  address: string;
  /** Whether lines are JSON. */
  json: boolean;
}

const WAITING_PROMPT = "(waiting) > "; // What is entered then waits for the login.
/** A pipe is not read further while more lines and messages wait. */
const MAX_PENDING = 64;
const MAX_PENDING_SHOWN = 3; // when the connection is lost
/** How long a program waits, at the end, for what is not stored yet, in milliseconds; a person waits less. */
const PATIENCE_MS = 10_000;
const PERSONS_PATIENCE_MS = 2000;
const UNNOTICED_MS = 500; // A person who waits longer is told the reason.

/** Takes part in a chat until its session or its input ends. */
export class ChatClient implements CommandTarget {
  /** Whether the server has a chat. */
  hasChat = true;
  readonly #options: ChatClientOptions;
  readonly #session: ChatSession;
  readonly #ended = Promise.withResolvers<void>();
  readonly #names = new Names();
  #wasIn = false;
  #failures = 0;
  #isLeaving = false;
  #mustGreet = false;
  #isStale = false; // the line was read before the login that it would be sent under

  /** Connects to nothing yet. */
  constructor(options: ChatClientOptions) {
    this.#options = options;
    this.#session = new ChatSession({
      ...options,
      onMessage: (message, own) => this.#takeMessage(message, own),
      onWait: (wait) => this.#takeWait(wait),
      onNotKept: (reason) => this.tell(`The login is not kept: ${reason}`),
    });
  }

  /** Runs, and gives the exit code. */
  async run(): Promise<number> {
    const reading = Promise.withResolvers<never>();
    this.#options.terminal.setPrompt(WAITING_PROMPT);
    // First the session, or its questions would appear while a line is being typed.
    const session = this.#session.run();
    this.#readLines().catch(reading.reject);
    try {
      const end = await Promise.race([session, reading.promise]);
      if (end === "closed" && !this.#wasIn && !this.#options.terminal.isInteractive) {
        this.refuse("Not logged in: no answer from the server");
      }
      const { count: left } = this.#session.pending;
      if (left > 0) this.tell(`Not sent: ${count(left, "message")}`);
      const isGood = ["closed", "logged_out"].includes(end) && left === 0;
      return isGood && this.#failures === 0 ? 0 : 1;
    } finally {
      this.#ended.resolve();
      this.#session.close();
    }
  }

  /** The lowest id shown. */
  get oldest(): number | undefined {
    return this.#session.seen.oldest;
  }

  /** Gives what the last word before the cursor may become. */
  complete(beforeCursor: string): string[] {
    return this.#names.complete(beforeCursor, commandsOf(this).map(([name]) => `/${name}`));
  }

  /** Says something to everybody, or to one user. */
  say(text: string, { to, ...options }: { to?: string; ref?: string } = {}): void {
    const { terminal, view } = this.#options;
    const receiver = to === undefined ? {} : { to: this.#names.spellingOf(to) };
    const problem = to !== undefined && this.#isStale
      ? `Not sent: ${LOGIN_ENDED}`
      : this.#session.say(text, { ...options, ...receiver });
    if (problem !== undefined) return this.refuse(problem);
    if (!terminal.isInteractive || this.#session.isIn) return;
    this.#show(view.waiting(this.#session.pending.messages.at(-1)!));
  }

  /** Asks the server. */
  request(message: ChatRequest, onPageEnd?: (count: number) => void): void {
    if (this.#session.request(message, onPageEnd)) return;
    this.refuse("There is no connection yet: try again in a moment");
  }

  /** Shows a line of the client's own. */
  tell(text: string): void {
    this.#options.tell(text);
  }

  /** Shows why a line is not taken; in a pipe, the exit code reports it too. */
  refuse(text: string): void {
    if (!this.#options.terminal.isInteractive) this.#failures++;
    this.tell(text);
  }

  /** Empties the screen. */
  clear(): void {
    this.#options.terminal.clear();
    this.#session.seen.forgetShown();
  }

  /** Leaves, once, when everything is stored or cannot be expected to be. */
  async leave({ logout }: { logout: boolean }): Promise<void> {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    const session = this.#session;
    const settled = session.settled(this.#patienceMs());
    const isQuick = !this.#options.terminal.isInteractive || await within(UNNOTICED_MS, settled);
    const { count: left } = session.pending;
    if (!isQuick && left > 0) this.tell(`Leaving when this is sent: ${count(left, "message")}`);
    await settled;
    if (logout) {
      session.logOut();
      if (!await within(this.#patienceMs(), this.#ended.promise)) {
        this.#failures++;
        this.tell(`Not logged out: no ${session.isIn ? "answer" : "connection"}`);
      }
    }
    session.close();
  }

  async #readLines(): Promise<void> {
    const { terminal } = this.#options;
    if (terminal.isInteractive) { for await (const line of terminal) this.#takeLine(line); }
    else await this.#readPipe();
    await this.leave({ logout: false });
  }

  /** Reads a pipe ahead, to know its end: then a server that is not there is not waited for without a limit. */
  async #readPipe(): Promise<void> {
    let waiting = 0;
    let taken = Promise.resolve();
    const take = async (line: string, endedLogins: number) => {
      while (this.#session.pending.count >= MAX_PENDING) await this.#session.pending.changed;
      await this.#session.entered;
      waiting--;
      this.#isStale = endedLogins !== this.#session.endedLogins;
      this.#takeLine(line);
    };
    for await (const line of this.#options.terminal) {
      waiting++;
      const { endedLogins } = this.#session;
      taken = taken.then(() => take(line, endedLogins));
      taken.catch(() => {}); // It is awaited below.
      if (waiting + this.#session.pending.count > MAX_PENDING) await taken;
    }
    if (waiting === 0 || await within(PATIENCE_MS, this.#session.entered)) return await taken;
    this.refuse(`Not sent: ${count(waiting, "line")}`);
    this.#isLeaving = true; // Nothing else is waited for.
    this.#session.close();
  }

  #takeLine(line: string): void {
    if (this.#isLeaving) return;
    (this.#options.json ? runBotLine : runChatLine)(line, this);
  }

  #takeWait(wait: ChatWait): void {
    const { terminal, view, address } = this.#options;
    terminal.setPrompt(WAITING_PROMPT);
    this.#show(view.wait(address, wait));
    if (wait.attempt === 1) this.#showPending();
  }

  #takeMessage(message: ServerMessage, own?: OwnMessage): void {
    const { json, terminal, view } = this.#options;
    if (message.type === "error" && own) this.#failures++;
    if (message.type === "hello") this.hasChat = message.server !== "auth";
    this.#names.take(message);
    const shown = view.show(message, own);
    if (json) terminal.print(botLine(message));
    else if (message.type === "users" && this.#mustGreet) {
      terminal.print(`${shown!.text}. /help shows the commands`);
    } else this.#show(shown);
    if (message.type === "users") this.#mustGreet = false;
    if (message.type === "welcome") this.#enter(message.name);
    const isTold = message.type === "said" && own?.type === "tell" && terminal.isInteractive;
    if (isTold && this.#names.isAway(own.to)) this.#show(view.away(own.to));
  }

  #enter(name: string): void {
    const { terminal, json } = this.#options;
    terminal.setPrompt(`${name}> `);
    const isFirst = !this.#wasIn;
    this.#wasIn = true;
    if (!terminal.isInteractive || json) return;
    if (!this.hasChat) return isFirst ? this.tell("/help shows the commands") : undefined;
    this.#mustGreet = isFirst;
    this.#session.request({ type: "who" });
  }

  /** What was typed before a loss was noticed has gone from its line, and is not stored. */
  #showPending(): void {
    const { terminal, view } = this.#options;
    if (!terminal.isInteractive) return;
    const { messages } = this.#session.pending;
    if (messages.length <= MAX_PENDING_SHOWN) {
      messages.forEach((own) => this.#show(view.waiting(own)));
    } else this.tell(`${messages.length} messages wait to be sent`);
  }

  #patienceMs(): number {
    if (!this.#options.terminal.isInteractive) return PATIENCE_MS;
    return this.#session.isIn ? PERSONS_PATIENCE_MS : 0;
  }

  #show(shown: Shown | undefined): void {
    if (!shown) return;
    if (shown.isService) this.tell(shown.text);
    else this.#options.terminal.print(shown.text);
    if (shown.rings) this.#options.terminal.ring();
  }
}
