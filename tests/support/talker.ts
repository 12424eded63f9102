/**
 * A member of the chat that talks without a break, and comes back whenever it loses the server.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import type { ServerMessage } from "../../lib/chat/protocol.ts";
import { ChatClient } from "../../tools/shared/chat_client.ts";

// So many messages are under way at once.
const WINDOW = 8;
const RETRY_MS = 10;

/** Fails at the first id that comes twice, out of order, or after a gap. */
export class Talker {
  /** The last id seen: everything up to it was seen once. */
  seen = 0;
  /** The ids of what was said, by ref. */
  readonly said = new Map<string, number>();
  /** How often it came back to find missed messages. */
  replayed = 0;
  readonly #name: string;
  readonly #token: string;
  readonly #port: number;
  readonly #onTaken: (message: ServerMessage) => void;
  readonly #unsaid = new Set<string>();
  #client: ChatClient | undefined;
  #refs = 0;
  #quiet = false;
  #gone = false;

  /** Needs a token, so that coming back costs no hash; `onTaken` is told of each message, after it was counted. */
  constructor(
    name: string,
    token: string,
    port: number,
    onTaken: (message: ServerMessage) => void,
  ) {
    this.#name = name;
    this.#token = token;
    this.#port = port;
    this.#onTaken = onTaken;
  }

  /** Says nothing new any more. */
  finish(): void {
    this.#quiet = true;
  }

  /** Whether everything it wanted to say was said. */
  get done(): boolean {
    return this.#quiet && this.#unsaid.size === 0;
  }

  /** Leaves. */
  leave(): void {
    this.#gone = true;
    this.#client?.conn.close();
  }

  /** Talks until it leaves. */
  async talk(): Promise<void> {
    while (!this.#gone) {
      try {
        using client = await ChatClient.connect(this.#port);
        this.#client = client;
        await this.#converse(client);
      } catch (error) {
        if (!isLost(error)) throw error;
        // The server is another process, and whether it listens again is found out by trying.
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  async #converse(client: ChatClient): Promise<void> {
    await client.resume(this.#token, { since: this.seen });
    for (const ref of this.#unsaid) this.#send(client, ref);
    this.#sayMore(client);
    for (;;) {
      const message = await client.next();
      if (message === null) return;
      this.#take(message);
      this.#sayMore(client);
    }
  }

  #sayMore(client: ChatClient): void {
    while (!this.#quiet && this.#unsaid.size < WINDOW) {
      const ref = `${++this.#refs}`;
      this.#unsaid.add(ref);
      this.#send(client, ref);
    }
  }

  #send(client: ChatClient, ref: string): void {
    client.send({ type: "say", ref, text: `${this.#name} ${ref}` }).catch(() => {
      // The connection is lost: the next one sends it again.
    });
  }

  #take(message: ServerMessage): void {
    if (message.type === "message") {
      this.#see(message.id);
      if (message.replay) this.replayed++;
    } else if (message.type === "said") {
      // What was stored before the connection was lost has come as a repeated message already.
      if (message.id > this.seen) this.#see(message.id);
      assertEquals(this.said.get(message.ref) ?? message.id, message.id);
      assert(this.#unsaid.delete(message.ref), `${message.ref} was said twice`);
      this.said.set(message.ref, message.id);
    } else assert(message.type === "joined" || message.type === "left", JSON.stringify(message));
    this.#onTaken(message);
  }

  #see(id: number): void {
    assertEquals(id, this.seen + 1, `${this.#name} saw ${id} after ${this.seen}`);
    this.seen = id;
  }
}

function isLost(error: unknown): boolean {
  return error instanceof Deno.errors.ConnectionRefused ||
    error instanceof Deno.errors.ConnectionReset || error instanceof Deno.errors.BrokenPipe ||
    error instanceof Deno.errors.UnexpectedEof ||
    error instanceof Error && error.message.startsWith("The connection ended before");
}
