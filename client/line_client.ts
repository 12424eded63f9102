/**
 * The conversation of the line client: lines go out, messages come in, and a lost connection is replaced.
 *
 * @module
 */

import { escapeControl } from "../lib/escape.ts";
import type { FramedConn } from "../lib/framed_conn.ts";
import { GOODBYE_PREFIX, goodbyeText } from "../lib/goodbye.ts";
import { type BackoffOptions, Reconnector } from "../lib/reconnect.ts";
import { count, objectionTo, sizeOf, waitMessage } from "./wording.ts";
import { MAX_BREAKS, MAX_UNANSWERED, type Question, Unanswered } from "./unanswered.ts";

/** What the client needs of a connection. */
export type MessageConn = Pick<FramedConn, "send" | "receive" | "closeWrite" | "close">;

/** What a {@linkcode LineClient} talks with. */
export interface LineClientOptions {
  /** What to send; `exit`, or the end, ends the conversation. */
  lines: AsyncIterable<string>;
  /** Opens a connection, which the client owns. */
  connect(signal?: AbortSignal): Promise<MessageConn>;
  /** Where `connect` leads, for messages. */
  address: string;
  /** Takes a message of the server as it came: escape it before a terminal sees it. */
  onReply(text: string): void | Promise<void>;
  /** Takes a message of the client itself, fit for a terminal. */
  onService(message: string): void;
  /**
   * How long to wait for the next answer when there is nothing more to say, in milliseconds.
   * @default {5000}
   */
  answerTimeoutMs?: number;
  /** How long to wait between attempts to connect. */
  backoff?: BackoffOptions;
}

/** How long the server may take to close when every line has its answer, in milliseconds. */
const FAREWELL_MS = 1000;

/** Goodbyes that are not the fault of a line: what is unanswered then may be sent as often as it takes. */
const BLAMELESS = new Set(
  (["full", "crowded", "paused", "shutdown", "idle"] as const).map((reason) => goodbyeText(reason)),
);

/** The reason to stop that is no failure. */
const DONE = new Error("The conversation is over");

/**
 * Talks to a server that answers each line with one message and may speak unasked besides.
 *
 * A message answers the oldest line without an answer. Lines whose answer is missing when the connection breaks are sent
 * again on the next one, in order. Plain text carries no numbers, hence two limits: a line is acted on twice by a server
 * that breaks between acting and answering, and an unasked message that crosses a line on its way passes for its answer.
 */
export class LineClient {
  readonly #options: LineClientOptions;
  readonly #unanswered = new Unanswered();
  readonly #stop = new AbortController();
  #conn: MessageConn | undefined;
  #connections = 0;
  #neverAnswered = 0;
  #inputEnd: "exit" | "end of input" | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Prepares a client; {@linkcode LineClient.run} starts it. */
  constructor(options: LineClientOptions) {
    this.#options = options;
  }

  /**
   * Talks until `exit` or the end of the lines, and then until the last answer is there or not to be expected.
   *
   * @returns How many lines got no answer.
   * @throws {unknown} What `lines` or `onReply` threw, or a failure of `connect` that no waiting mends.
   */
  async run(): Promise<number> {
    this.#readInput().catch((error) => this.#end(error));
    try {
      await this.#converse();
    } catch (error) {
      if (error !== DONE) throw error;
    } finally {
      clearTimeout(this.#timer);
    }
    const left = this.#unanswered.count;
    if (left > 0) this.#options.onService(`no answer to ${count(left, "line")}`);
    return this.#neverAnswered + left;
  }

  // The lines.

  async #readInput(): Promise<void> {
    for await (const line of this.#options.lines) {
      if (line.trim() === "exit") return this.#finishInput("exit");
      await this.#ask(line);
    }
    this.#finishInput("end of input");
  }

  async #ask(line: string): Promise<void> {
    const objection = objectionTo(line);
    if (objection !== undefined) {
      this.#neverAnswered++;
      return this.#options.onService(`not sent: ${objection}`);
    }
    if (this.#unanswered.isFull) await this.#waitForVacancy();
    const question = this.#unanswered.add(line);
    if (this.#conn) await this.#send(this.#conn, question);
  }

  async #waitForVacancy(): Promise<void> {
    const tell = () =>
      this.#options.onService(`waiting for answers to ${count(MAX_UNANSWERED, "line")}`);
    this.#timer = setTimeout(tell, this.#answerTimeoutMs);
    while (this.#unanswered.isFull) await this.#unanswered.vacancy;
    clearTimeout(this.#timer);
  }

  async #send(conn: MessageConn, question: Question): Promise<void> {
    question.sent = true;
    try {
      await conn.send(question.text);
      this.#options.onService(`sent ${sizeOf(question.text)}`);
    } catch {
      // The connection is broken: receive() tells why, and the line stays among the unanswered.
      conn.close();
    }
  }

  #finishInput(how: "exit" | "end of input"): void {
    this.#inputEnd = how;
    if (this.#conn) return this.#sayNoMore(this.#conn);
    const nothingToWaitFor = this.#unanswered.count === 0;
    if (nothingToWaitFor && (how === "exit" || this.#connections > 0)) this.#end(DONE);
    else if (how === "exit") this.#limitSilence();
  }

  /** The server sees the end, sends what it still has to say, and closes. */
  #sayNoMore(conn: MessageConn): void {
    conn.closeWrite().catch(() => conn.close());
    this.#limitSilence();
  }

  // The connections.

  async #converse(): Promise<void> {
    const reconnector = new Reconnector((signal) => this.#options.connect(signal), {
      ...this.#options.backoff,
      signal: this.#stop.signal,
      onWait: (wait) => this.#options.onService(waitMessage(this.#options.address, wait)),
    });
    do await this.#speak(await reconnector.connect()); while (!this.#isFinished());
  }

  async #speak(conn: MessageConn): Promise<void> {
    this.#begin(conn);
    // The end may have come while this connection was being made.
    if (this.#stop.signal.aborted) conn.close();
    try {
      await this.#listen(conn);
    } finally {
      this.#conn = undefined;
      conn.close();
      if (this.#inputEnd) clearTimeout(this.#timer);
    }
  }

  #begin(conn: MessageConn): void {
    this.#options.onService(`connected to ${this.#options.address}`);
    this.#conn = conn;
    this.#connections++;
    let again = 0;
    for (const question of this.#unanswered) {
      if (question.sent) again++;
      this.#send(conn, question);
    }
    if (again > 0) {
      this.#options.onService(`sent again after the reconnect: ${count(again, "line")}`);
    }
    if (this.#inputEnd) this.#sayNoMore(conn);
  }

  /** Takes messages until the connection ends. */
  async #listen(conn: MessageConn): Promise<void> {
    while (true) {
      const text = await conn.receive().catch((error: Error) => error);
      if (text === null) return this.#tellEnd();
      if (isNoText(text)) this.#takeNoText();
      else if (text instanceof Error) return this.#tellBreak(text.message);
      else if (this.#isGoodbye(text)) return this.#takeGoodbye(text);
      else await this.#take(text);
    }
  }

  async #take(text: string): Promise<void> {
    this.#unanswered.answer();
    this.#options.onService(`received ${sizeOf(text)}`);
    await this.#options.onReply(text);
    if (this.#inputEnd) this.#limitSilence();
  }

  #takeNoText(): void {
    this.#unanswered.answer();
    this.#options.onService("received a message that is not UTF-8");
  }

  /** An echo of what was typed is no goodbye, whatever it says. */
  #isGoodbye(text: string): boolean {
    return text.startsWith(GOODBYE_PREFIX) && text !== this.#unanswered.oldest;
  }

  #takeGoodbye(text: string): void {
    this.#options.onService(escapeControl(text));
    this.#options.onService("disconnected: the server said goodbye");
    if (!BLAMELESS.has(text)) this.#blameLines();
  }

  #tellEnd(): void {
    const expected = this.#stop.signal.aborted || this.#unanswered.count === 0;
    if (this.#inputEnd && expected) this.#options.onService(`disconnected: ${this.#inputEnd}`);
    else this.#tellBreak("the server closed the connection");
  }

  #tellBreak(reason: string): void {
    this.#options.onService(`disconnected: ${reason}`);
    this.#blameLines();
  }

  /** What waited for its answer may have broken the connection. */
  #blameLines(): void {
    const hopeless = this.#unanswered.connectionBroke();
    if (hopeless === 0) return;
    this.#neverAnswered += hopeless;
    this.#options.onService(
      `gave up ${count(hopeless, "line")}: ${MAX_BREAKS} connections broke meanwhile`,
    );
  }

  // The end.

  #isFinished(): boolean {
    return this.#inputEnd === "exit" ||
      this.#inputEnd !== undefined && this.#unanswered.count === 0;
  }

  get #answerTimeoutMs(): number {
    return this.#options.answerTimeoutMs ?? 5000;
  }

  #limitSilence(): void {
    clearTimeout(this.#timer);
    const limitMs = this.#unanswered.count > 0 ? this.#answerTimeoutMs : FAREWELL_MS;
    this.#timer = setTimeout(() => this.#end(DONE), limitMs);
  }

  #end(reason: unknown): void {
    this.#stop.abort(reason);
    this.#conn?.close();
  }
}

/** Tells a message that is not UTF-8, after which the next can be received, from TLS data that is invalid. */
function isNoText(received: unknown): boolean {
  return received instanceof Deno.errors.InvalidData && received.cause instanceof TypeError;
}
