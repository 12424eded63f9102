/**
 * Members of a chat that note what they are told.
 *
 * @module
 */
import { within } from "../../../lib/base/within.ts";
import type { ChatSessionOptions } from "../../../client/session/session_options.ts";
import { ChatSession } from "../../../client/session/session.ts";
import { FramedConn } from "../../../lib/conn/framed_conn.ts";
import { PASSWORD } from "../../../tools/shared/chat_client.ts";

const PATIENCE_MS = 30_000;

/** Somebody in the chat, who notes every message by its id, own ones included. */
export class TestMember {
  /** What was shown, as `id text`. */
  readonly told: string[] = [];
  /** What else came, by type or error code. */
  readonly notes: string[] = [];
  /** The session. */
  readonly session: ChatSession;
  /** How the session ended. */
  readonly ended: Promise<string>;
  #changed = Promise.withResolvers<void>();

  /** Joins the chat at a port under a name that is registered. */
  constructor(port: number, name: string, options: Partial<ChatSessionOptions> = {}) {
    this.session = new ChatSession({
      connect: () => FramedConn.connect({ port }),
      credentials: () => Promise.resolve({ name, password: PASSWORD, register: false }),
      history: 200,
      backoff: { minMs: 1, maxMs: 2 },
      onMessage: (message, own) => {
        if (message.type === "message") this.#note(this.told, `${message.id} ${message.text}`);
        else if (message.type !== "said") {
          this.#note(this.notes, message.type === "error" ? message.code : message.type);
        } else if (own) this.#note(this.told, `${message.id} ${own.text}`);
      },
      ...options,
    });
    this.ended = this.session.run();
  }

  /** Waits until so many messages were shown. */
  async toldCount(count: number): Promise<void> {
    while (this.told.length < count) await this.#nextChange();
  }

  /** Waits until something of a type, or an error of a code, has come. */
  async noted(type: string): Promise<void> {
    while (!this.notes.includes(type)) await this.#nextChange();
  }

  /** Leaves. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.session.close();
    await this.ended;
  }

  async #nextChange(): Promise<void> {
    if (await within(PATIENCE_MS, this.#changed.promise)) return;
    throw new Error(`Nothing was told for ${PATIENCE_MS} ms after ${JSON.stringify(this.notes)}`);
  }

  #note(list: string[], text: string): void {
    list.push(text);
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
