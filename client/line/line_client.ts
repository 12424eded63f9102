/**
 * The conversation of the line client: lines go out, messages come in, and a lost connection is replaced.
 *
 * @module
 */

import { count } from "../../lib/base/count.ts";
import type { FramedConn } from "../../lib/conn/framed_conn.ts";
import { type BackoffOptions, Reconnector, type ReconnectWait } from "../../lib/conn/reconnect.ts";
import { type End, receiveNext } from "./received.ts";
import { objectionTo, sizeOf, waitMessage } from "../shared/wording.ts";
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
  /** Takes a message of the server. What a server says is to be escaped before a terminal sees it. */
  onReply(text: string): void | Promise<void>;
  /** Takes a message of the client itself, which may quote the server: escape it too. */
  onService(message: string): void;
  /**
   * How long to wait for the next answer when there is nothing more to say, in milliseconds; as long for a server
   * that was never there. One that was is waited for: it said that it comes back, or broke.
   * @default {5000}
   */
  answerTimeoutMs?: number;
  /** How long to wait between attempts to connect. */
  backoff?: BackoffOptions;
  /** Ends the conversation at once. */
  signal?: AbortSignal;
}

/** How long the server may take to close when every line has its answer, in milliseconds. */
const FAREWELL_MS = 1000;

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
  readonly #stopped = new Promise((resolve) =>
    this.#stop.signal.addEventListener("abort", resolve)
  );
  #conn: MessageConn | undefined;
  #hasConnected = false;
  #hasFailed = false;
  #neverAnswered = 0;
  #wasIdle = false;
  #wasKicked = false;
  #inputEnd: "exit" | "end of input" | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Prepares a client; {@linkcode LineClient.run} starts it. */
  constructor(options: LineClientOptions) {
    this.#options = options;
    options.signal?.addEventListener("abort", () => this.#end(DONE));
  }

  /** Whether the server's operator has ended the conversation. */
  get wasKicked(): boolean {
    return this.#wasKicked;
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
      // The connection is broken: receive() still gives the server's last words, and the line stays unanswered.
    }
  }

  #finishInput(how: "exit" | "end of input"): void {
    this.#inputEnd = how;
    if (this.#conn) this.#sayNoMore(this.#conn);
    else if (this.#isPointless()) this.#end(DONE);
    else if (how === "exit" || !this.#hasConnected && this.#unanswered.count > 0) {
      this.#limitSilence();
    }
  }

  /** Whether another connection would serve nobody: without a line to say, one attempt is enough. */
  #isPointless(): boolean {
    return this.#unanswered.count === 0 && (this.#hasConnected || this.#hasFailed);
  }

  /** The server sees the end, sends what it still has to say, and closes. */
  #sayNoMore(conn: MessageConn): void {
    conn.closeWrite().catch(() => {/* The connection is broken: receive() tells why. */});
    this.#limitSilence();
  }

  // The connections.

  async #converse(): Promise<void> {
    const reconnector = new Reconnector((signal) => this.#options.connect(signal), {
      ...this.#options.backoff,
      signal: this.#stop.signal,
      onWait: (wait) => this.#takeWait(wait),
    });
    do {
      if (this.#wasIdle) await this.#waitForLine();
      await this.#speak(await reconnector.connect());
    } while (!this.#isFinished());
  }

  /** To come back sooner would only be to be silent again. */
  async #waitForLine(): Promise<void> {
    if (this.#unanswered.count > 0 || this.#stop.signal.aborted) return;
    this.#options.onService("connects again when there is a line to send");
    await Promise.race([this.#unanswered.addition, this.#stopped]);
  }

  #takeWait(wait: ReconnectWait): void {
    this.#hasFailed = true;
    this.#options.onService(waitMessage(this.#options.address, wait));
    if (this.#inputEnd && this.#isPointless()) this.#end(DONE);
  }

  async #speak(conn: MessageConn): Promise<void> {
    // The end may have come while this connection was being made.
    if (this.#stop.signal.aborted) return conn.close();
    this.#begin(conn);
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
    this.#hasConnected = true;
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
      // `oldest` is read when the message is here: lines are typed meanwhile.
      const received = await receiveNext(conn, () => this.#unanswered.oldest);
      if (received.kind === "reply") await this.#take(received.text);
      else if (received.kind === "no text") this.#takeNoText();
      else return this.#takeEnd(received);
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

  #takeEnd({ goodbye, action, reason, inOrder, blamesLine }: End): void {
    if (goodbye !== undefined) this.#options.onService(goodbye);
    this.#wasKicked = action === "stop";
    if (this.#wasKicked) this.#end(DONE); // Who was sent away does not come back by itself.
    this.#wasIdle = action === "wait";
    const isOver = this.#stop.signal.aborted || this.#unanswered.count === 0;
    this.#options.onService(`disconnected: ${this.#ownReason(inOrder && isOver) ?? reason}`);
    if (!blamesLine || isOver || !this.#unanswered.blameOldest()) return;
    this.#neverAnswered++;
    this.#options.onService(`gave up 1 line: ${MAX_BREAKS} connections broke on it`);
  }

  // The end.

  #ownReason(isOurs: boolean): string | undefined {
    if (this.#options.signal?.aborted) return "interrupted";
    return isOurs ? this.#inputEnd : undefined;
  }

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
