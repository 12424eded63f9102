/**
 * How a chat client leaves.
 *
 * @module
 */

import { count } from "../../lib/base/count.ts";
import { within } from "../../lib/base/within.ts";
import type { ChatSession } from "./chat_session.ts";

/** Who leaves, and what. */
export interface LeavingOptions {
  /** What is left. */
  session: Pick<ChatSession, "unsaid" | "isIn" | "settled" | "logOut" | "close">;
  /** Whether a person waits for it. */
  isInteractive: boolean;
  /** Takes what the client says about itself. */
  tell(text: string): void;
  /** Takes what could not be done. */
  refuse(text: string): void;
}

/** Who leaves waits so long for what is not said yet, in milliseconds: a person less than a program. */
export const PATIENCE_MS = 10_000;
const PERSONS_PATIENCE_MS = 2000;
// A person who waits longer than this is told what for.
const UNNOTICED_MS = 500;

/** Leaves a session when everything is said, or cannot be expected to be. */
export class Leaving {
  readonly #options: LeavingOptions;
  readonly #over = Promise.withResolvers<void>();
  #how: "quit" | "logout" | undefined;
  #isWaiting = false;

  /** Does nothing yet. */
  constructor(options: LeavingOptions) {
    this.#options = options;
  }

  /** Whether the client is leaving: it takes nothing more to say. */
  get hasBegun(): boolean {
    return this.#how !== undefined;
  }

  /** Leaves, once; to log out, a lost connection is waited for as long as a message. */
  async begin({ logout }: { logout: boolean }): Promise<void> {
    if (this.hasBegun) return;
    this.#how = logout ? "logout" : "quit";
    if (!this.#isPointless()) await this.#settle();
    if (logout) await this.#logOut();
    this.#options.session.close();
  }

  /** Notes that there is no connection. */
  takeWait(): void {
    this.#isWaiting = true;
    if (this.#isPointless()) this.#options.session.close();
  }

  /** Notes that there is one. */
  takeWelcome(): void {
    this.#isWaiting = false;
  }

  /** Notes that the session is over. */
  takeEnd(): void {
    this.#over.resolve();
  }

  /** Whether staying serves nobody: there is no connection, and nothing waits for one. */
  #isPointless(): boolean {
    return this.#how === "quit" && this.#isWaiting && this.#options.session.unsaid.count === 0;
  }

  async #settle(): Promise<void> {
    const { session, isInteractive, tell } = this.#options;
    const settled = session.settled(this.#patienceMs());
    const isQuick = !isInteractive || await within(UNNOTICED_MS, settled);
    const { count: left } = session.unsaid;
    if (!isQuick && left > 0) tell(`Leaving as soon as this is said: ${count(left, "message")}`);
    await settled;
  }

  async #logOut(): Promise<void> {
    const { session, refuse } = this.#options;
    session.logOut();
    if (await within(this.#patienceMs(), this.#over.promise)) return;
    refuse(
      `Not logged out: ${session.isIn ? "the server did not do it" : "there is no connection"}`,
    );
  }

  #patienceMs(): number {
    if (!this.#options.isInteractive) return PATIENCE_MS;
    return this.#options.session.isIn ? PERSONS_PATIENCE_MS : 0;
  }
}
