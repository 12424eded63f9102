/**
 * A thread for each conversation, up to a limit.
 *
 * @module
 */
import type { Handler } from "../../lib/server/conversation.ts";
import type { MessageConn } from "../../lib/conn/message_conn.ts";
import { goodbyeText } from "../../lib/server/end_reason.ts";
import type { ConnInfo } from "../../lib/server/server_events.ts";
import { within } from "../../lib/base/within.ts";
import { ConversationThread, type HandlerSource } from "./conversation_thread.ts";

/** Options for {@linkcode Threads}. */
export interface ThreadsOptions {
  /** The handler that each thread runs. It finds the modules it needs by itself: a thread shares no memory. */
  handler: HandlerSource;
  /**
   * How many threads there may be; further clients get a goodbye. Each costs about 8 MB. 0 sets no limit.
   *
   * @default {128}
   */
  maxThreads?: number;
  /**
   * How long a thread may work on after the server has ended its conversation, in milliseconds.
   *
   * @default {2000}
   */
  graceMs?: number;
  /** Called with what happens to the threads. */
  onThread?(event: ThreadEvent): void;
}

/**
 * What happens to a thread: it has `started` a conversation; it has `ended`; it was ended and does not stop (`stuck`); or
 * there are too many to start one (`refused`).
 */
export type ThreadEvent =
  | { type: "started" | "ended" | "stuck"; conn: ConnInfo; thread: number }
  | { type: "refused"; conn: ConnInfo };

// Starting a thread blocks this one for some 10 ms, which should not delay the conversation that has just begun.
const SPARE_DELAY_MS = 100;
// One that is ended while it loads is gone only then; it has no conversation that could hold it up.
const SPARE_END_MS = 5000;

/**
 * Runs a handler in threads, one for each conversation.
 *
 * One thread more is kept ready, because to start a thread inside a Worker takes Deno 2.9 half a second or more. Where
 * many clients connect at once, most of them wait for their thread.
 */
export class Threads implements AsyncDisposable {
  readonly #options: ThreadsOptions;
  readonly #live = new Set<Promise<void>>();
  readonly #threads = new WeakMap<ConnInfo, number>();
  #lastId = 0;
  #spare: ConversationThread | undefined;
  #spareTimer: ReturnType<typeof setTimeout> | undefined;

  /** Starts the first thread, for the first client. */
  constructor(options: ThreadsOptions) {
    this.#options = options;
    this.#spare = this.#start();
  }

  /** How many threads have a conversation, or had one and do not stop. */
  get count(): number {
    return this.#live.size;
  }

  /** The number of the thread that a connection has, or had. */
  threadOf(conn: ConnInfo): number | undefined {
    return this.#threads.get(conn);
  }

  /** Runs a conversation in a thread of its own: the handler for `serve`. */
  readonly handler: Handler<MessageConn> = async (conn, info) => {
    const { maxThreads = 128 } = this.#options;
    if (maxThreads && this.count >= maxThreads) return await this.#refuse(conn, info);
    await this.#run(this.#take(), conn, info);
  };

  /** Waits until the spare thread has ended, and those whose conversations have; these not longer than the grace time. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#spareTimer);
    this.#spare?.[Symbol.dispose]();
    await Promise.all([
      within(this.#graceMs, Promise.all(this.#live)),
      within(SPARE_END_MS, Promise.resolve(this.#spare?.gone)),
    ]);
  }

  get #graceMs(): number {
    return this.#options.graceMs ?? 2000;
  }

  #start(): ConversationThread {
    return new ConversationThread(++this.#lastId, this.#options.handler);
  }

  #take(): ConversationThread {
    const thread = this.#spare ?? this.#start();
    this.#spare = undefined;
    clearTimeout(this.#spareTimer);
    this.#spareTimer = setTimeout(() => this.#spare = this.#start(), SPARE_DELAY_MS);
    return thread;
  }

  async #run(thread: ConversationThread, conn: MessageConn, info: ConnInfo): Promise<void> {
    this.#live.add(thread.gone);
    this.#threads.set(info, thread.id);
    this.#report({ type: "started", conn: info, thread: thread.id });
    try {
      await thread.run(conn, info, this.#graceMs);
    } finally {
      thread[Symbol.dispose]();
      this.#reportEnd(thread, info);
    }
  }

  async #reportEnd(thread: ConversationThread, info: ConnInfo): Promise<void> {
    const event = { conn: info, thread: thread.id };
    const ended = thread.gone.then(() => this.#live.delete(thread.gone));
    if (!await within(this.#graceMs, ended)) this.#report({ type: "stuck", ...event });
    await ended;
    this.#report({ type: "ended", ...event });
  }

  async #refuse(conn: MessageConn, info: ConnInfo): Promise<void> {
    this.#report({ type: "refused", conn: info });
    await conn.send(goodbyeText("full"));
  }

  #report(event: ThreadEvent): void {
    this.#options.onThread?.(event);
  }
}
