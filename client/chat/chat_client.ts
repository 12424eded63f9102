/**
 * The chat client between its terminal, or pipe, and its session.
 *
 * @module
 */

import { count } from "../../lib/base/count.ts";
import { escapeControl } from "../../lib/base/escape.ts";
import type { ServerMessage } from "../../lib/chat/protocol.ts";
import type { Terminal } from "../../lib/terminal/terminal.ts";
import { within } from "../../lib/base/within.ts";
import { type CommandTarget, runChatLine } from "./chat_commands.ts";
import {
  type ChatRequest,
  ChatSession,
  type ChatSessionOptions,
  type ChatWait,
} from "./chat_session.ts";
import type { ChatView, Shown } from "./chat_view.ts";
import { botLine, runBotLine } from "./json_lines.ts";
import { Leaving, PATIENCE_MS } from "./leaving.ts";
import type { NamesSeen } from "./names_seen.ts";
import { PipeLines } from "./pipe_lines.ts";
import type { TokenFile } from "./token_file.ts";
import type { OwnMessage } from "./unsaid.ts";

/** What a {@linkcode ChatClient} puts together. */
export interface ChatClientOptions
  extends Pick<ChatSessionOptions, "connect" | "credentials" | "history" | "backoff"> {
  /** Where lines come from and go to. */
  terminal: Pick<
    Terminal,
    "isInteractive" | "print" | "ring" | "clear" | "setPrompt" | typeof Symbol.asyncIterator
  >;
  /** Takes what the client says about itself. */
  tell(text: string): void;
  /** Makes lines of messages. */
  view: ChatView;
  /** Where logins are kept. */
  tokens: TokenFile;
  /** Where names are remembered. */
  names: NamesSeen;
  /** The server's address, for messages. */
  address: string;
  /** Whether lines are JSON. */
  json: boolean;
}

/** What stands before the line while nobody is logged in: what is entered then waits. */
const WAITING_PROMPT = "(waiting) > ";

/** A pipe waits for more messages to be said before it is read on. */
const MAX_UNSAID = 64;

/** Takes part in a chat until its session, or its input, ends. */
export class ChatClient implements CommandTarget {
  readonly #options: ChatClientOptions;
  readonly #session: ChatSession;
  readonly #leaving: Leaving;
  #token = "";
  #failures = 0;
  #saving: Promise<void> = Promise.resolve();

  /** Connects to nothing yet. */
  constructor(options: ChatClientOptions) {
    this.#options = options;
    this.#session = new ChatSession({
      ...options,
      onMessage: (message, own) => this.#takeMessage(message, own),
      onWait: (wait) => this.#takeWait(wait),
    });
    this.#leaving = new Leaving({
      session: this.#session,
      isInteractive: options.terminal.isInteractive,
      tell: (text) => this.tell(text),
      refuse: (text) => this.#fail(text),
    });
  }

  /** Runs, and gives the exit code. */
  async run(): Promise<number> {
    const reading = Promise.withResolvers<never>();
    this.#options.terminal.setPrompt(WAITING_PROMPT);
    // First the session, or its questions would find that a line is being typed.
    const session = this.#session.run();
    this.#readLines().catch(reading.reject);
    try {
      const end = await Promise.race([session, reading.promise]);
      if (end === "logged_out") this.#forgetLogin();
      if (end === "closed" && this.#token === "" && !this.#options.terminal.isInteractive) {
        this.refuse("Not logged in: no answer from the server");
      }
      const left = this.#session.unsaid.count;
      if (left > 0) this.#options.tell(`Not sent: ${count(left, "message")}`);
      const isGood = end === "closed" || end === "logged_out";
      return isGood && left === 0 && this.#failures === 0 ? 0 : 1;
    } finally {
      this.#leaving.takeEnd();
      this.#session.close();
      await this.#saving;
    }
  }

  /** Whether the server has a chat. */
  get hasChat(): boolean {
    return this.#options.names.hasChat;
  }

  /** The lowest id seen. */
  get oldest(): number | undefined {
    return this.#session.oldest;
  }

  /** Says something to everybody, or to one user. */
  say(text: string, { to, ...options }: { to?: string; ref?: string } = {}): void {
    const { terminal, view, names } = this.#options;
    const reader = to === undefined ? {} : { to: names.spellingOf(to) };
    const objection = this.#session.say(text, { ...options, ...reader });
    if (objection !== undefined) return this.refuse(objection);
    if (terminal.isInteractive && !this.#session.isIn) this.#show(view.waiting(text, reader.to));
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

  /** Says that a line is of no use. */
  refuse(text: string): void {
    // A person types again; who piped the line in is told by the exit code too.
    if (this.#options.terminal.isInteractive) this.tell(text);
    else this.#fail(text);
  }

  #fail(text: string): void {
    this.#failures++;
    this.tell(text);
  }

  /** Empties the screen. */
  clear(): void {
    this.#options.terminal.clear();
    this.#session.forgetShown();
  }

  /** Leaves when everything is said; to log out, a lost connection is waited for as long as a message. */
  leave(options: { logout: boolean }): Promise<void> {
    return this.#leaving.begin(options);
  }

  async #readLines(): Promise<void> {
    const { terminal } = this.#options;
    if (!terminal.isInteractive) await this.#readPipe();
    else for await (const line of terminal) this.#takeLine(line);
    await this.leave({ logout: false });
  }

  /** Reads a pipe ahead: where it ends, a server that is not there is not waited for without an end. */
  async #readPipe(): Promise<void> {
    const pipe = new PipeLines({
      turn: () => this.#takeTurn(),
      take: (line) => this.#takeLine(line),
      isFull: (waiting) => waiting + this.#session.unsaid.count > MAX_UNSAID,
    });
    await pipe.read(this.#options.terminal);
    const { waiting } = pipe;
    if (waiting === 0 || await within(PATIENCE_MS, this.#session.entered)) await pipe.taken;
    else this.refuse(`Not sent: ${count(waiting, "line")}`);
  }

  #takeLine(line: string): void {
    if (this.#leaving.hasBegun) return;
    (this.#options.json ? runBotLine : runChatLine)(line, this);
  }

  async #takeTurn(): Promise<void> {
    while (this.#session.unsaid.count >= MAX_UNSAID) await this.#session.unsaid.changed;
    await this.#session.entered;
  }

  #takeWait(wait: ChatWait): void {
    const { terminal, view, address } = this.#options;
    terminal.setPrompt(WAITING_PROMPT);
    this.#show(view.wait(address, wait));
    if (wait.attempt === 1) this.#showUnsaid();
    this.#leaving.takeWait();
  }

  #takeMessage(message: ServerMessage, own?: OwnMessage): void {
    const { json, terminal, view } = this.#options;
    if (message.type === "error" && own) this.#failures++;
    this.#notice(message);
    if (json) terminal.print(botLine(message));
    else this.#show(view.show(message, own));
  }

  /** Takes from a message what the client itself needs to know. */
  #notice(message: ServerMessage): void {
    switch (message.type) {
      case "hello":
        this.#options.names.hasChat = message.server !== "auth";
        break;
      case "welcome":
        this.#keepLogin(message);
        break;
      case "message":
        this.#options.names.add(message.from, message.to ?? "");
        break;
      case "joined":
        this.#options.names.add(message.name);
        break;
      case "users":
        this.#options.names.add(...message.names);
    }
  }

  /** What was typed before a loss was noticed has gone from its line, and nobody has said it. */
  #showUnsaid(): void {
    const { terminal, view } = this.#options;
    if (!terminal.isInteractive) return;
    for (const message of this.#session.unsaid.messages) {
      this.#show(view.waiting(message.text, message.type === "tell" ? message.to : undefined));
    }
  }

  #keepLogin({ name, token, expires }: ServerMessage & { type: "welcome" }): void {
    const { tokens, terminal, address: server } = this.#options;
    this.#token = token;
    this.#leaving.takeWelcome();
    terminal.setPrompt(`${escapeControl(name)}> `);
    this.#saved(tokens.save({ server, name, token, expires }));
  }

  #forgetLogin(): void {
    this.#saved(this.#options.tokens.remove(this.#token));
  }

  #saved(saving: Promise<void>): void {
    this.#saving = saving.catch((error: Error) =>
      this.#options.tell(`The login is not kept: ${error.message}`)
    );
  }

  #show(shown: Shown | undefined): void {
    if (!shown) return;
    if (shown.isService) this.#options.tell(shown.text);
    else this.#options.terminal.print(shown.text);
    if (shown.rings) this.#options.terminal.ring();
  }
}
