/**
 * The control thread's handle on the listening thread.
 *
 * @module
 */
import type { ServerConfig } from "./config.ts";
import type { ControlMessage, ControlReply } from "./control.ts";
import { whenReleased } from "./thread_lock.ts";

/** Options for {@linkcode ListeningThread}. */
export interface ListeningThreadOptions {
  /**
   * The module that the thread runs.
   *
   * @default {new URL("./worker.ts", import.meta.url)}
   */
  module?: URL;
  /**
   * How long a command may wait for its answer, in milliseconds; `pause` and `stop`, which drain for up to 5 s, four
   * times as long.
   *
   * @default {2000}
   */
  answerMs?: number;
}

const DRAINING = ["pause", "stop"];
const BUSY = "The listening thread is busy and has not answered yet";

/** A server in a thread of its own, which loads from the moment it is made. */
export class ListeningThread implements Disposable {
  /** Settles when the server has stopped; rejects when it cannot start, or its thread died. */
  readonly finished: Promise<void>;
  readonly #worker: Worker;
  readonly #answerMs: number;
  readonly #listening = Promise.withResolvers<{ hostname: string; port: number }>();
  readonly #finished = Promise.withResolvers<void>();
  readonly #answers = new Map<number, (text: string) => void>();
  // The thread holds a lock of this name while it lives, however it ends.
  readonly #lock: string;
  readonly #disposed = new AbortController();
  #lastId = 0;

  /** Starts the thread; the server waits for `start`. */
  constructor(options: ListeningThreadOptions = {}) {
    const { module = new URL("./worker.ts", import.meta.url), answerMs = 2000 } = options;
    this.#answerMs = answerMs;
    this.finished = this.#finished.promise;
    for (const { promise } of [this.#finished, this.#listening]) {
      promise.catch(() => {/* Told by whoever awaits it. */});
    }
    // First of all, for it takes longest.
    this.#worker = new Worker(module, { type: "module" });
    this.#lock = `listening thread ${crypto.randomUUID()}`;
    this.#worker.onmessage = ({ data }: MessageEvent<ControlReply>) => this.#take(data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#fail(`The listening thread died: ${event.message}`);
    };
  }

  /**
   * Starts the server and tells where it listens.
   *
   * @throws {Error} If it cannot.
   */
  start(config: ServerConfig): Promise<{ hostname: string; port: number }> {
    this.#post({ type: "start", config, lock: this.#lock });
    return this.#listening.promise;
  }

  /** Runs a command in the thread and gives its answer, or a sentence that tells that it is too busy. */
  async run(command: string, argument = ""): Promise<string> {
    return await this.#ask(command, argument) ?? BUSY;
  }

  /**
   * Lets the server say goodbye and end; a thread that does not even answer is reported by `finished`.
   *
   * @param by What asked for it, for the log, if it was not the command.
   */
  async stop(by = ""): Promise<string> {
    const answer = await this.#ask("stop", by);
    if (answer === undefined) {
      this.#fail("The listening thread did not answer: it was ended by force");
    }
    this.#finished.resolve();
    return answer ?? BUSY;
  }

  /** Ends the thread, whatever it does. */
  [Symbol.dispose](): void {
    this.#disposed.abort();
    this.#worker.terminate();
    this.#finished.resolve();
    for (const answer of this.#answers.values()) answer("Stopped");
  }

  #ask(command: string, argument: string): Promise<string | undefined> {
    if (this.#disposed.signal.aborted) return Promise.resolve("Stopped");
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    const id = ++this.#lastId;
    const patience = this.#answerMs * (DRAINING.includes(command) ? 4 : 1);
    const timer = setTimeout(() => resolve(undefined), patience);
    this.#answers.set(id, resolve);
    this.#post({ type: "command", id, command, argument });
    return promise.finally(() => {
      clearTimeout(timer);
      this.#answers.delete(id);
    });
  }

  #post(message: ControlMessage): void {
    this.#worker.postMessage(message);
  }

  #take(reply: ControlReply): void {
    switch (reply.type) {
      case "listening":
        return this.#listening.resolve(reply);
      case "holding":
        return void this.#watch();
      case "answer":
        return this.#answers.get(reply.id)?.(reply.text);
      case "failed":
        return this.#fail(reply.message);
    }
  }

  /** A thread that closes itself raises no error, but its lock is free then. */
  async #watch(): Promise<void> {
    try {
      await whenReleased(this.#lock, this.#disposed.signal);
      this.#fail("The listening thread ended by itself");
    } catch {
      // Disposed: nobody watches any more.
    }
  }

  #fail(message: string): void {
    this.#listening.reject(new Error(message));
    this.#finished.reject(new Error(message));
  }
}
