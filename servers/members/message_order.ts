/**
 * The order of messages: what is proposed comes back when it is committed, in order.
 *
 * @module
 */
import { setImmediate } from "node:timers";
import type { AppendedMessage, HistoryStore, NewMessage } from "../../lib/store/history_store.ts";
import { StorageError } from "../../lib/store/storage_error.ts";

/** What a {@linkcode MessageOrder} calls back. */
export interface OrderEvents<Proposal> {
  /** A proposal is committed, in order. */
  onCommitted(proposal: Proposal, appended: AppendedMessage): void;
  /** A proposal cannot be committed. */
  onRefused(proposal: Proposal): void;
  /** Storage is broken. */
  onStorageError?(error: unknown): void;
}

const DONE = Promise.resolve();
// While another program locks the file, messages wait for up to 10 s.
const MAX_WAITING = 10_000;
const RETRY_MS = 250;
const MAX_RETRIES = 40;

/**
 * Gives messages their order. Today it is the local database: what is proposed in one turn of the event loop is committed
 * in one transaction at its end. Only then is it answered and delivered, so nothing that was answered can be lost. Its
 * users do not assume that it is in this process, or that it answers at once.
 *
 * A message is delivered in the turn in which it gets into the store. So a client that has been sent all of the store,
 * and joins in the same turn, misses nothing and gets nothing twice.
 */
export class MessageOrder<Proposal extends { message: NewMessage }> {
  readonly #history: HistoryStore;
  readonly #events: OrderEvents<Proposal>;
  #waiting: Proposal[] = [];
  #settled: PromiseWithResolvers<void> | undefined;
  #retries = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;

  /** Writes to a history. */
  constructor(history: HistoryStore, events: OrderEvents<Proposal>) {
    this.#history = history;
    this.#events = events;
  }

  /** Settles when all that was proposed until now is committed or refused. */
  get settled(): Promise<void> {
    if (this.#waiting.length === 0) return DONE;
    return (this.#settled ??= Promise.withResolvers()).promise;
  }

  /** Takes a message, to be committed at the end of this turn. */
  propose(proposal: Proposal): void {
    if (this.#waiting.length >= MAX_WAITING) return this.#events.onRefused(proposal);
    this.#waiting.push(proposal);
    if (this.#waiting.length === 1) setImmediate(() => this.#commit());
  }

  /** Commits or refuses what waits. */
  close(): void {
    this.#retries = MAX_RETRIES;
    this.#commit();
  }

  #commit(): void {
    clearTimeout(this.#retry);
    if (this.#waiting.length === 0) return;
    try {
      const appended = this.#history.append(this.#waiting.map(({ message }) => message));
      this.#settle((proposal, i) => this.#events.onCommitted(proposal, appended[i]!));
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      this.#events.onStorageError?.(error);
      if (error.isBusy && this.#retries < MAX_RETRIES) {
        this.#retries++;
        this.#retry = setTimeout(() => this.#commit(), RETRY_MS);
      } else this.#settle((proposal) => this.#events.onRefused(proposal));
    }
  }

  #settle(tell: (proposal: Proposal, index: number) => void): void {
    const proposals = this.#waiting;
    this.#waiting = [];
    this.#retries = 0;
    proposals.forEach(tell);
    this.#settled?.resolve();
    this.#settled = undefined;
  }
}
