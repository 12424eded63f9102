/**
 * A thread for each conversation, and no more of them than the machine can bear.
 *
 * @module
 */
import type { Handler } from "../../lib/server/conversation.ts";
import type { FramedConn } from "../../lib/conn/framed_conn.ts";
import { goodbyeText } from "../../lib/server/end_reason.ts";
import type { ConnInfo, ServerEvent } from "../../lib/server/server_events.ts";
import { within } from "../../lib/base/within.ts";
import type { HandlerSource } from "./conversation_messages.ts";
import { ConversationThread } from "./conversation_thread.ts";

/** Options for {@linkcode Threads}. */
export interface ThreadsOptions {
  /** The handler that each thread runs. It finds the modules it needs by itself: a thread shares no memory. */
  handler: HandlerSource;
  /**
   * How many threads there may be; who comes then gets a goodbye. Each costs about 10 MB. 0 sets no limit.
   *
   * @default {128}
   */
  maxThreads?: number;
  /**
   * A `receive` of the handler waits so long for a byte, in milliseconds. 0 waits for ever.
   *
   * @default {0}
   */
  idleTimeoutMs?: number;
  /**
   * So long a thread may work on after its socket is lost or the server wants to end, in milliseconds.
   *
   * @default {2000}
   */
  graceMs?: number;
  /** Told of the messages of the conversations, as `serve` tells of those in its own thread. */
  onEvent?(event: ServerEvent): void;
  /** Told of the threads. */
  onThread?(event: ThreadEvent): void;
}

/**
 * What happens to a thread: it got a conversation; it is no more; it should be no more and does not stop; or there are
 * too many to start one.
 */
export type ThreadEvent =
  | { type: "started" | "ended" | "stuck"; conn: ConnInfo; thread: number }
  | { type: "refused"; conn: ConnInfo };

// To start a thread holds up this one for some 10 ms, which the conversation that has just begun should not feel.
const SPARE_DELAY_MS = 100;
// One that is ended while it loads is gone only then; it has no conversation that could hold it up.
const SPARE_END_MS = 5000;

/**
 * Runs a handler in threads, one for each conversation.
 *
 * One thread more is kept ready, because a thread that is started inside a Worker takes half a second and more in
 * Deno 2.9. Only of clients that come all at once, most wait for theirs.
 */
export class Threads implements AsyncDisposable {
  readonly #options: ThreadsOptions;
  readonly #live = new Set<Promise<void>>();
  #lastId = 0;
  #spare: ConversationThread | undefined;
  #spareTimer: ReturnType<typeof setTimeout> | undefined;

  /** Starts the first thread, for whoever comes first. */
  constructor(options: ThreadsOptions) {
    this.#options = options;
    this.#spare = this.#start();
  }

  /** How many threads have a conversation, or had one and do not stop. */
  get count(): number {
    return this.#live.size;
  }

  /** Holds a conversation in a thread of its own: the handler for `serve`. */
  readonly handler: Handler = async (conn, info) => {
    const { maxThreads = 128 } = this.#options;
    if (maxThreads && this.count >= maxThreads) return await this.#refuse(conn, info);
    await this.#hold(this.#take(), conn, info);
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

  async #hold(thread: ConversationThread, conn: FramedConn, info: ConnInfo): Promise<void> {
    const { idleTimeoutMs = 0, onEvent } = this.#options;
    this.#live.add(thread.gone);
    this.#tell({ type: "started", conn: info, thread: thread.id });
    try {
      await thread.hold(conn, info, {
        idleTimeoutMs,
        graceMs: this.#graceMs,
        onSize: (type, bytes) => onEvent?.({ type, conn: info, bytes }),
      });
    } finally {
      thread[Symbol.dispose]();
      this.#tellEnd(thread, info);
    }
  }

  async #tellEnd(thread: ConversationThread, info: ConnInfo): Promise<void> {
    const event = { conn: info, thread: thread.id };
    const ended = thread.gone.then(() => this.#live.delete(thread.gone));
    if (!await within(this.#graceMs, ended)) this.#tell({ type: "stuck", ...event });
    await ended;
    this.#tell({ type: "ended", ...event });
  }

  async #refuse(conn: FramedConn, info: ConnInfo): Promise<void> {
    this.#tell({ type: "refused", conn: info });
    await conn.send(goodbyeText("full"));
  }

  #tell(event: ThreadEvent): void {
    this.#options.onThread?.(event);
  }
}
