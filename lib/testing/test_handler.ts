/**
 * Runs a handler as a server would, in memory.
 *
 * @module
 */
import { checkTransport, type Transport } from "../conn/conn_options.ts";
import { FramedConn } from "../conn/framed_conn.ts";
import { Conversation, type Handler } from "../server/conversation.ts";
import {
  checkGoodbyeReason,
  type ConversationEnd,
  type GoodbyeReason,
} from "../server/end_reason.ts";
import {
  checkArguments,
  completedServeOptions,
  type ConversationOptions,
} from "../server/serve_options.ts";
import { connInfoOf } from "../server/server_events.ts";
import { faultyConnPair, type MemoryNetworkOptions } from "./memory_network.ts";

// With the second that a handler has after its connection was closed, disposing takes 5 s at most.
const DISPOSE_MS = 4000;

/** Options for {@linkcode testHandler}: those of `serve` for each conversation, and the network. */
export interface TestHandlerOptions extends ConversationOptions {
  /** What happens on the way between the two ends. */
  network?: MemoryNetworkOptions;
  /**
   * The handler's end of the connection, for a failure at a chosen call: a `ScriptedConn`, for example. The client is then
   * connected to nothing, and receives `null`.
   */
  transport?: Transport;
}

/** A handler that runs, and the client that it serves. */
export class TestedHandler implements AsyncDisposable {
  /** The client. */
  readonly conn: FramedConn;
  /** How the conversation ended, when it has: what `serve` reports as `disconnected`. */
  readonly ended: Promise<ConversationEnd>;
  readonly #conversation: Conversation;
  readonly #isDetached: boolean;
  #isOver = false;

  /** Runs a handler: {@linkcode testHandler} in the form of a constructor. */
  constructor(handler: Handler, options: TestHandlerOptions = {}) {
    checkArguments(handler, options);
    const serveOptions = completedServeOptions(options);
    const { network = {}, transport } = options;
    const [client, memory] = faultyConnPair(network);
    this.#isDetached = transport !== undefined;
    if (transport) memory.close();
    const accepted = transport ?? memory;
    checkTransport("serve", accepted);
    const info = connInfoOf(accepted, 1);
    const { onEvent } = serveOptions;
    const { promise, resolve } = Promise.withResolvers<ConversationEnd>();
    this.conn = new FramedConn(client);
    this.ended = promise;
    this.#conversation = new Conversation(accepted, info, serveOptions, (_, end) => {
      this.#isOver = true;
      onEvent?.({ type: "disconnected", conn: info, ...end });
      resolve(end);
    });
    this.#conversation.run(handler);
  }

  /**
   * Ends the conversation, as a server does for this reason.
   *
   * @throws {TypeError} If it is not a `GoodbyeReason`.
   */
  end(reason: GoodbyeReason): void {
    checkGoodbyeReason(reason);
    if (!this.#isOver) this.#conversation.end(reason);
  }

  /** Closes the client, and waits until the handler has returned: after 4 s its connection is closed, too. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.conn.close();
    // A transport of the test's own does not notice that.
    if (this.#isDetached) this.#conversation.abort();
    const timer = setTimeout(() => this.#conversation.abort(), DISPOSE_MS);
    await this.ended;
    clearTimeout(timer);
  }
}

/**
 * Runs a handler as `serve` does, over one connection in memory: no port, no permission. Timers and `Date` are the only
 * clocks, so that time can be fake.
 *
 * @throws {RangeError} If an option of `serve` or of the network is out of range.
 *
 * @example
 * ```ts
 * import type { FramedConn } from "@framed/tcp";
 * import { testHandler } from "@framed/tcp/testing";
 * import { assertEquals } from "@std/assert";
 *
 * async function shout(conn: FramedConn): Promise<void> {
 *   for await (const text of conn) await conn.send(text.toUpperCase());
 * }
 *
 * await using test = testHandler(shout, { network: { chunkBytes: 1, down: { cutInBody: 2 } } });
 *
 * assertEquals(await test.conn.request("first"), "FIRST");
 * const error = await test.conn.request("second").catch((error) => error);
 * assertEquals(error.name, "UnexpectedEof");
 * assertEquals((await test.ended).reason, "finished");
 * ```
 */
export function testHandler(handler: Handler, options: TestHandlerOptions = {}): TestedHandler {
  return new TestedHandler(handler, options);
}
