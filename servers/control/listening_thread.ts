/**
 * The control thread's handle on the listening thread, and what the two say to each other.
 *
 * @module
 */
import type { ServerConfig } from "./config.ts";

/** From the main thread to the listening thread. */
export type ToListening =
  | { type: "start"; config: ServerConfig; warning: string | undefined }
  | { type: "call"; id: number; command: string; argument: string };

/** From the listening thread to the main thread. */
export type FromListening =
  | { type: "listening"; listening: Listening }
  | { type: "answer"; id: number; text: string }
  | { type: "progress"; text: string }
  | { type: "failed"; message: string };

/** A server that listens. */
export interface Listening {
  /** Where it listens. */
  hostname: string;
  /** The port that it really got. */
  port: number;
  /** The console's commands that it has. */
  commands: string[];
}

/** Options for {@linkcode ListeningThread}. */
export interface ListeningThreadOptions {
  /**
   * The module that the thread runs.
   *
   * @default {new URL("./worker.ts", import.meta.url)}
   */
  module?: URL;
  /**
   * How long a command may wait for its answer, in milliseconds; `pause` and `stop`, which wait for clients, five times
   * as long.
   *
   * @default {2000}
   */
  answerMs?: number;
}

const WAIT_FOR_CLIENTS = ["pause", "stop"];
const BUSY = "The listening thread is busy and has not answered yet";

/** A server in a thread of its own, which loads from the moment it is made. */
export class ListeningThread implements Disposable {
  /** Settles when the server has stopped; rejects when it cannot start, or its thread has failed. */
  readonly finished: Promise<void>;
  /** Called with what a command waits for. */
  onProgress: (text: string) => void = () => {};
  readonly #worker: Worker;
  readonly #answerMs: number;
  readonly #listening = Promise.withResolvers<Listening>();
  readonly #finished = Promise.withResolvers<void>();
  readonly #calls = new Map<number, (text: string) => void>();
  #lastId = 0;

  /** Starts the thread; the server waits for `start`. */
  constructor(options: ListeningThreadOptions = {}) {
    const { module = new URL("./worker.ts", import.meta.url), answerMs = 2000 } = options;
    // First of all, because it takes longest.
    this.#worker = new Worker(module, { type: "module" });
    this.#answerMs = answerMs;
    this.finished = this.#finished.promise;
    for (const { promise } of [this.#finished, this.#listening]) {
      promise.catch(() => {/* Reported by the caller that awaits it. */});
    }
    this.#worker.onmessage = ({ data }: MessageEvent<FromListening>) => this.#take(data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#fail(`The listening thread died: ${event.message}`);
    };
  }

  /**
   * Starts the server.
   *
   * @throws {Error} If it cannot start.
   */
  start(config: ServerConfig, warning?: string): Promise<Listening> {
    this.#post({ type: "start", config, warning });
    return this.#listening.promise;
  }

  /** Runs a command in the thread and gives its answer, or says that the thread is too busy. */
  async call(command: string, argument = ""): Promise<string> {
    return await this.#call(command, argument) ?? BUSY;
  }

  /**
   * Lets the server say goodbye and end, after which `finished` settles; a thread that does not answer is a failure.
   *
   * @param by What asked for it, for the log, if it was not the command.
   */
  async stop(by = ""): Promise<void> {
    const answer = await this.#call("stop", by);
    if (answer === undefined) {
      this.#fail("The listening thread did not answer: it was ended by force");
    }
    this.#finished.resolve();
  }

  /** Ends the thread, unless it is in an endless loop; calls end. */
  [Symbol.dispose](): void {
    this.#worker.terminate();
    this.#finished.resolve();
    for (const answer of this.#calls.values()) answer("Stopped");
  }

  /** Gives `undefined` where no answer came in time. */
  async #call(command: string, argument: string): Promise<string | undefined> {
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    const id = ++this.#lastId;
    const ms = this.#answerMs * (WAIT_FOR_CLIENTS.includes(command) ? 5 : 1);
    const timer = setTimeout(resolve, ms, undefined);
    this.#calls.set(id, resolve);
    this.#post({ type: "call", id, command, argument });
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#calls.delete(id);
    }
  }

  #post(message: ToListening): void {
    this.#worker.postMessage(message);
  }

  #take(message: FromListening): void {
    switch (message.type) {
      case "listening":
        return this.#listening.resolve(message.listening);
      case "answer":
        return this.#calls.get(message.id)?.(message.text);
      case "progress":
        return this.onProgress(message.text);
      case "failed":
        return this.#fail(message.message);
    }
  }

  #fail(message: string): void {
    this.#listening.reject(new Error(message));
    this.#finished.reject(new Error(message));
  }
}
