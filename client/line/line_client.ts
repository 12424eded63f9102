/**
 * The conversation of the line client: lines go out, messages come in, and a lost connection is replaced.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { count } from "../../lib/base/numbers.ts";
import { Reconnector, type ReconnectWait } from "../../lib/conn/reconnect.ts";
import {
  addressOf,
  explainFailure,
  noConnection,
  waitMessage,
  WrongClientError,
} from "../shared/failure.ts";
import type { ClientAction } from "../../lib/server/end_reason.ts";
import { type InputEnd, sendableLines } from "./input.ts";
import type { LineClientOptions, LineConn } from "./line_client_options.ts";
import { type End, isFromChat, receiveNext } from "./received.ts";
import { hintLater, SilenceLimit } from "./silence_limit.ts";
import { MAX_BREAKS, MAX_UNANSWERED, type Question, Unanswered } from "./unanswered.ts";

/** The reason to stop that is no failure. */
const DONE = new Error("The conversation is over");

/**
 * Talks to a server that answers each line with one message and may send others besides.
 *
 * A message answers the oldest line without an answer. Lines whose answer is missing when the connection breaks are sent
 * again on the next one, in order. Plain text carries no numbers, hence two limits: a line is acted on twice by a server
 * that breaks between acting and answering, and another message that crosses a line on its way passes for its answer.
 */
export class LineClient {
  readonly #options: LineClientOptions;
  readonly #unanswered = new Unanswered();
  readonly #stop = new AbortController();
  readonly #address: string;
  readonly #answerTimeoutMs: number;
  readonly #silence: SilenceLimit;
  #conn: LineConn | undefined;
  #hint: ReturnType<typeof setTimeout> | undefined;
  #hasConnected = false;
  #hasFailed = false;
  #hasReceived = false;
  #lastAction: ClientAction | undefined;
  #sendsJson = false;
  #neverAnswered = 0;
  #inputEnd: InputEnd | undefined;

  /** Prepares a client; {@linkcode LineClient.run} starts it. */
  constructor(options: LineClientOptions) {
    this.#options = options;
    this.#address = addressOf(options.server);
    this.#answerTimeoutMs = options.answerTimeoutMs ?? 5000;
    this.#silence = new SilenceLimit(this.#answerTimeoutMs, () => this.#end(DONE));
    options.signal?.addEventListener("abort", () => this.#end(DONE));
  }

  /** Whether the server's operator has ended the conversation. */
  get wasKicked(): boolean {
    return this.#lastAction === "stop";
  }

  /**
   * Talks until `exit` or the end of the lines, and then until the last answer is there or not to be expected.
   *
   * @returns How many lines got no answer.
   * @throws {unknown} What `lines` or `onReply` threw, or a failure of the connection that no other attempt mends.
   */
  async run(): Promise<number> {
    this.#readInput().catch((error) => this.#end(error));
    try {
      await this.#converse();
    } catch (error) {
      if (error !== DONE) throw error;
    } finally {
      this.#silence.clear();
      clearTimeout(this.#hint);
    }
    const left = this.#unanswered.count;
    if (left > 0) this.#options.onService(`no answer to ${count(left, "line")}`);
    return this.#neverAnswered + left;
  }

  async #readInput(): Promise<void> {
    const lines = sendableLines(this.#options.lines, (reason) => {
      this.#neverAnswered++;
      this.#options.onService(`not sent: ${reason}`);
    });
    for (;;) {
      const { done, value } = await lines.next();
      if (done) return this.#finishInput(value);
      this.#sendsJson ||= value.startsWith("{");
      if (this.#unanswered.isFull) await this.#waitForVacancy();
      if (this.#stop.signal.aborted) return;
      const question = this.#unanswered.add(value);
      if (this.#conn) await this.#send(this.#conn, question);
    }
  }

  async #waitForVacancy(): Promise<void> {
    const text = `waiting for answers to ${count(MAX_UNANSWERED, "line")}`;
    const timer = setTimeout(() => this.#options.onService(text), this.#answerTimeoutMs);
    while (this.#unanswered.isFull && !this.#stop.signal.aborted) await this.#unanswered.changed;
    clearTimeout(timer);
  }

  async #send(conn: LineConn, question: Question): Promise<void> {
    question.sent = true;
    try {
      await conn.send(question.text);
      this.#options.onService(`sent ${count(Buffer.byteLength(question.text), "byte")}`);
      if (this.#hasReceived || this.#stop.signal.aborted) return;
      this.#hint ??= hintLater(this.#options.onService);
    } catch {
      // The connection is broken: receive() still gives the server's last message, and the line stays unanswered.
    }
  }

  #finishInput(how: InputEnd): void {
    this.#inputEnd = how;
    if (!this.#conn && this.#isPointless()) this.#end(DONE);
    else if (this.#conn || how === "exit" || !this.#hasConnected && this.#unanswered.count > 0) {
      this.#limitSilence();
    }
  }

  /** Whether another connection is of no use: without a line to send, one attempt is enough. */
  #isPointless(): boolean {
    return this.#unanswered.count === 0 && (this.#hasConnected || this.#hasFailed);
  }

  async #converse(): Promise<void> {
    const reconnector = new Reconnector((signal) => this.#options.connect(signal), {
      ...this.#options.backoff,
      signal: this.#stop.signal,
      isRetriable: (error) => !this.#isFinal(error),
      onWait: (wait) => this.#takeWait(wait),
    });
    do {
      if (this.#lastAction === "wait") await this.#waitForLine();
      const conn = await reconnector.connect().catch((error) => this.#fail(error));
      await this.#speak(conn);
    } while (this.#inputEnd !== "exit" && !(this.#inputEnd && this.#unanswered.count === 0));
  }

  /** Whether another attempt is of no use. A server that was there before may be back behind a proxy. */
  #isFinal(error: unknown): boolean {
    return !this.#hasReceived && explainFailure(error, this.#options.server).isFinal;
  }

  /** Says why no attempt is made any more. */
  #fail(error: unknown): never {
    if (this.#stop.signal.aborted || error instanceof TypeError) throw error;
    throw new Error(noConnection(this.#address, error, this.#options.server), { cause: error });
  }

  /** A connection without a line to send would only be idle again. */
  async #waitForLine(): Promise<void> {
    if (this.#unanswered.count > 0 || this.#stop.signal.aborted) return;
    this.#options.onService("connects again when there is a line to send");
    await this.#unanswered.changed;
  }

  #takeWait(wait: ReconnectWait): void {
    this.#hasFailed = true;
    this.#options.onService(waitMessage(this.#address, wait, this.#options.server));
    if (this.#inputEnd && this.#isPointless()) this.#end(DONE);
  }

  async #speak(conn: LineConn): Promise<void> {
    // The end may have come while this connection was being made.
    if (this.#stop.signal.aborted) return conn.close();
    this.#begin(conn);
    try {
      await this.#listen(conn);
    } finally {
      this.#conn = undefined;
      conn.close();
      this.#silence.clear();
    }
  }

  #begin(conn: LineConn): void {
    this.#options.onService(`connected to ${this.#address}`);
    this.#conn = conn;
    this.#hasConnected = true;
    const again = [...this.#unanswered].filter(({ sent }) => sent).length;
    for (const question of this.#unanswered) this.#send(conn, question);
    if (again > 0) {
      this.#options.onService(`sent again after the reconnect: ${count(again, "line")}`);
    }
    if (this.#inputEnd) this.#limitSilence();
  }

  /** Takes messages until the connection ends. */
  async #listen(conn: LineConn): Promise<void> {
    while (true) {
      // `oldest` is read when the message is here: lines are typed while it waits.
      const received = await receiveNext(conn, () => this.#unanswered.oldest);
      if (received.kind === "end") return this.#takeEnd(received);
      await this.#take(received.text);
    }
  }

  async #take(text: string | undefined): Promise<void> {
    // Lines of JSON are written by hand, for such a server.
    if (!this.#hasReceived && !this.#sendsJson && isFromChat(text)) {
      throw new WrongClientError("chat", this.#options.server);
    }
    this.#hasReceived = true;
    clearTimeout(this.#hint);
    this.#unanswered.answer();
    const what = text === undefined
      ? "a message that is not UTF-8"
      : count(Buffer.byteLength(text), "byte");
    this.#options.onService(`received ${what}`);
    if (text !== undefined) await this.#options.onReply(text);
    if (this.#inputEnd) this.#limitSilence();
  }

  #takeEnd({ goodbye, action, error, inOrder, ...end }: End): void {
    if (error !== undefined && this.#isFinal(error)) this.#fail(error);
    if (goodbye !== undefined) this.#options.onService(goodbye);
    this.#lastAction = action;
    if (this.wasKicked) this.#end(DONE);
    const isOver = this.#stop.signal.aborted || this.#unanswered.count === 0;
    const ours = this.#options.signal?.aborted
      ? "interrupted"
      : inOrder && isOver && this.#inputEnd;
    const reason = error === undefined
      ? end.reason
      : explainFailure(error, this.#options.server).reason;
    this.#options.onService(`disconnected: ${ours || reason}`);
    if (!end.blamesLine || isOver || !this.#unanswered.blameOldest()) return;
    this.#neverAnswered++;
    this.#options.onService(`gave up 1 line: ${MAX_BREAKS} connections broke on it`);
  }

  #limitSilence(): void {
    this.#silence.restart(this.#conn, this.#unanswered.count === 0);
  }

  #end(reason: unknown): void {
    this.#stop.abort(reason);
    this.#conn?.close();
    this.#unanswered.wake();
  }
}
