/**
 * Who is said to be here: a user who comes and goes within a short time is not announced.
 *
 * @module
 */

/** A user of the chat. */
export interface User {
  /** Its account's id. */
  readonly key: number;
  /** Its name. */
  readonly name: string;
}

interface State {
  user: User;
  isHere: boolean;
  isAnnounced: boolean;
  timer?: ReturnType<typeof setTimeout> | undefined;
}

/** Announces that users joined and left, each as soon as it has not changed for a while. */
export class Presence {
  readonly #announce: (type: "joined" | "left", user: User) => void;
  readonly #settleMs: number;
  readonly #states = new Map<number, State>();

  /**
   * Begins without users.
   *
   * @param announce Called with each change.
   * @param settleMs How long a user must have stayed, or been away, in milliseconds.
   */
  constructor(announce: (type: "joined" | "left", user: User) => void, settleMs: number) {
    this.#announce = announce;
    this.#settleMs = settleMs;
  }

  /** The names of the users who are announced as here. */
  names(): string[] {
    return [...this.#states.values()].filter((state) => state.isAnnounced)
      .map((state) => state.user.name);
  }

  /** A user's first connection has joined, or its last one has left. */
  change(user: User, isHere: boolean): void {
    const state = this.#states.getOrInsertComputed(user.key, () => ({
      user,
      isHere,
      isAnnounced: false,
    }));
    state.isHere = isHere;
    clearTimeout(state.timer);
    if (this.#settleMs === 0) this.#settle(state);
    else state.timer = setTimeout(() => this.#settle(state), this.#settleMs);
  }

  /** A user who is here acts, and is announced before that. */
  act({ key }: User): void {
    const state = this.#states.get(key);
    if (state?.isHere && !state.isAnnounced) this.#settle(state);
  }

  /** Forgets a user without an announcement. */
  forget({ key }: User): void {
    clearTimeout(this.#states.get(key)?.timer);
    this.#states.delete(key);
  }

  /** Forgets all users. */
  clear(): void {
    for (const { user } of [...this.#states.values()]) this.forget(user);
  }

  #settle(state: State): void {
    clearTimeout(state.timer);
    const { user, isHere, isAnnounced } = state;
    state.isAnnounced = isHere;
    if (!isHere) this.#states.delete(user.key);
    if (isHere !== isAnnounced) this.#announce(isHere ? "joined" : "left", user);
  }
}
