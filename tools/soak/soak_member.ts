/**
 * A member of the chat who talks now and then, and stays, whatever the network does.
 *
 * @module
 */
import type { KeptLogin } from "../../client/session/session_login.ts";
import { ChatSession } from "../../client/session/session.ts";
import { FramedConn } from "../../lib/conn/framed_conn.ts";
import type { ServerMessage } from "../../lib/chat/protocol.ts";
import { type Ledger, Told } from "./ledger.ts";

/** Where a member comes from. */
export interface SoakMemberOptions {
  /** Where it connects: to the server, or to a proxy. */
  port: number;
  /** Its login. */
  login: KeptLogin;
  /** Where it notes what it was told. */
  ledger: Ledger;
}

/** A member with the real client's session. */
export class SoakMember {
  /** What it was told. */
  readonly told: Told;
  /** How often it had to connect again. */
  reconnects = 0;
  readonly #session: ChatSession;
  readonly #ledger: Ledger;
  readonly #unsaid = new Map<string, string>();
  readonly #ended: Promise<string>;
  #changed = Promise.withResolvers<void>();
  #lastText = 0;

  /** Comes in. */
  constructor({ port, login, ledger }: SoakMemberOptions) {
    const { name } = login;
    this.#ledger = ledger;
    this.told = new Told(name);
    ledger.told.push(this.told);
    this.#session = new ChatSession({
      connect: (signal) => FramedConn.connect({ port, signal }),
      credentials: (refusal) => {
        if (refusal) ledger.problems.push(`${name} was refused: ${refusal.message}`);
        return Promise.resolve(refusal ? null : { name });
      },
      logins: {
        list: () => Promise.resolve([login]),
        save: async () => {},
        remove: async () => {},
      },
      history: 0,
      backoff: { minMs: 20, maxMs: 500 },
      onWait: () => this.reconnects++,
      onMessage: (message, own) => this.#take(message, own?.text),
    });
    this.#ended = this.#session.run();
    this.#ended.catch((error) => ledger.problems.push(`${name} ended: ${error}`));
  }

  /** Settles when it is in. */
  get entered(): Promise<void> {
    return this.#session.entered;
  }

  /** How many of its messages are not acknowledged yet. */
  get waiting(): number {
    return this.#unsaid.size;
  }

  /** Says something to everybody, or to one. */
  say(to?: string): void {
    const text = `${this.told.name} ${++this.#lastText}`;
    const ref = `${this.#lastText}`;
    this.#unsaid.set(ref, text);
    this.#session.say(text, { ref, ...(to !== undefined && { to }) });
  }

  /** Settles when everything was acknowledged, and everything up to an id was told. */
  async settled(id: () => number): Promise<void> {
    while (this.#unsaid.size > 0 || this.told.last < id()) await this.#changed.promise;
  }

  /** Leaves. */
  async leave(): Promise<void> {
    this.#session.close();
    await this.#ended.catch(() => {/* It is a problem already. */});
  }

  #take(message: ServerMessage, ownText: string | undefined): void {
    const { name } = this.told;
    if (message.type === "message") this.#tell(message.id, message.text);
    else if (message.type === "said") {
      const text = this.#unsaid.get(message.ref);
      if (text === undefined) this.#ledger.problems.push(`${name} never said ${message.ref}`);
      else this.#ledger.note(message.id, text);
      this.#unsaid.delete(message.ref);
      if (ownText !== undefined) this.#tell(message.id, ownText);
    } else if (message.type === "error" && message.code !== "too_fast") {
      this.#ledger.problems.push(`${name} was refused: ${message.code}`);
    }
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  #tell(id: number, text: string): void {
    const problem = this.told.add(id, text);
    if (problem) this.#ledger.problems.push(problem);
  }
}
