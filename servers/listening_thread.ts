/**
 * The control thread's handle on the listening thread.
 *
 * @module
 */
import type { ControlMessage, ControlReply } from "./control.ts";
import type { ServerConfig } from "./flags.ts";

// The listening thread has so long to answer; pause and stop drain for up to 5 s by themselves.
const ANSWER_MS = 2000;
const DRAINING_ANSWER_MS = 8000;
const DRAINING = ["pause", "stop"];

/** A server in a thread of its own. */
export class ListeningThread implements Disposable {
  /** Settles when the server has stopped; rejects when its thread died. */
  readonly finished: Promise<void>;
  readonly #worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  readonly #listening = Promise.withResolvers<{ hostname: string; port: number }>();
  readonly #finished = Promise.withResolvers<void>();
  readonly #answers = new Map<number, (text: string) => void>();
  #lastId = 0;

  /** Starts the thread and in it the server. */
  constructor(config: ServerConfig) {
    this.finished = this.#finished.promise;
    this.finished.catch(() => {/* Told by whoever awaits it. */});
    this.#worker.onmessage = ({ data }: MessageEvent<ControlReply>) => this.#take(data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#fail(new Error(event.message));
    };
    this.#post({ type: "start", config });
  }

  /**
   * Where the server listens, once it does.
   *
   * @throws {Error} If it cannot.
   */
  get listening(): Promise<{ hostname: string; port: number }> {
    return this.#listening.promise;
  }

  /** Runs a command in the thread and gives its answer, or a sentence that tells that it is too busy. */
  run(command: string, argument = ""): Promise<string> {
    const { promise, resolve } = Promise.withResolvers<string>();
    const id = ++this.#lastId;
    const patience = DRAINING.includes(command) ? DRAINING_ANSWER_MS : ANSWER_MS;
    const timer = setTimeout(
      () => resolve("The listening thread is busy and has not answered yet"),
      patience,
    );
    this.#answers.set(id, resolve);
    this.#post({ type: "command", id, command, argument });
    return promise.finally(() => {
      clearTimeout(timer);
      this.#answers.delete(id);
    });
  }

  /** Lets the server say goodbye and end; a thread that does not even answer is reported by `finished`. */
  async stop(): Promise<void> {
    await this.run("stop");
    this.#finished.reject(new Error("The listening thread did not answer: it was ended by force"));
  }

  /** Ends the thread, whatever it does. */
  [Symbol.dispose](): void {
    this.#worker.terminate();
    this.#finished.resolve();
    for (const answer of this.#answers.values()) answer("Stopped");
  }

  #post(message: ControlMessage): void {
    this.#worker.postMessage(message);
  }

  #take(reply: ControlReply): void {
    if (reply.type === "listening") this.#listening.resolve(reply);
    else if (reply.type === "answer") this.#answers.get(reply.id)?.(reply.text);
    else if (reply.type === "failed") this.#fail(new Error(reply.message));
    else this.#finished.resolve();
  }

  #fail(error: Error): void {
    this.#listening.reject(error);
    this.#listening.promise.catch(() => {/* Told by `finished` if nobody awaits it. */});
    this.#finished.reject(error);
  }
}
