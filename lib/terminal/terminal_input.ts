/**
 * The input side of a terminal: a stream of text, and the state of the terminal it comes from.
 *
 * @module
 */

import type { Readable } from "node:stream";

/** Where a terminal reads, such as `process.stdin`. */
export interface TerminalInput extends Readable {
  /** Whether a keyboard is at the other end. */
  isTTY?: boolean;
  /** Asks for every key as it is pressed, not echoed, instead of whole lines. */
  setRawMode?(raw: boolean): unknown;
}

/** What becomes of the input. */
export interface InputEvents {
  /** Called with what came in, in pieces cut anywhere. */
  onText(text: string): void;
  /** Called once at the end of the input, or when it broke. */
  onEnd(): void;
  /** Called when another program asks this one to be interrupted. */
  onInterrupt(): void;
  /** Called when the terminal is gone. */
  onHangUp(): void;
  /** Called when another program asks this one to end. */
  onTerminate(): void;
  /** Called when an error nobody caught is about to end the program. */
  onCrash(): void;
}

/** Reads text from a stream, and puts its terminal in raw mode and back. */
export class InputReader {
  #input: TerminalInput;
  #events: InputEvents;
  #decoder = new TextDecoder();
  #isRaw = false;
  #signals: [Deno.Signal, () => void][];

  /** Takes the stream; does not read before `start`. */
  constructor(input: TerminalInput, events: InputEvents) {
    this.#input = input;
    this.#events = events;
    this.#signals = [["SIGINT", events.onInterrupt]];
    if (Deno.build.os !== "windows") {
      this.#signals.push(["SIGTERM", events.onTerminate], ["SIGHUP", events.onHangUp]);
    }
  }

  /** Begins to read. */
  start(): void {
    this.#input.on("data", this.#onData).on("end", this.#onEnd).on("error", this.#onEnd);
    this.#input.resume();
  }

  /**
   * Goes into raw mode, or back. In raw mode the terminal must be given back before the program
   * ends, so signals and crashes are reported.
   */
  setRaw(raw: boolean): void {
    if (raw === this.#isRaw) return;
    this.#isRaw = raw;
    this.#input.setRawMode?.(raw);
    for (const [signal, listener] of this.#signals) {
      if (raw) Deno.addSignalListener(signal, listener);
      else Deno.removeSignalListener(signal, listener);
    }
    for (const event of ["error", "unhandledrejection"]) {
      if (raw) addEventListener(event, this.#events.onCrash);
      else removeEventListener(event, this.#events.onCrash);
    }
  }

  /** Lets what comes in wait in the stream. */
  pause(): void {
    this.#input.pause();
  }

  /** Reads on after `pause`. */
  resume(): void {
    this.#input.resume();
  }

  /** Stops for good; what is read from now on is lost, and the process need not wait for it. */
  stop(): void {
    this.setRaw(false);
    this.#input.off("data", this.#onData).off("end", this.#onEnd);
    // A pending read would keep the process alive: a terminal's does not once paused, a pipe's once destroyed as well.
    this.#input.pause();
    if (this.#input.isTTY !== true) this.#input.destroy();
  }

  #onData = (chunk: Uint8Array | string) => {
    const text = typeof chunk === "string" ? chunk : this.#decoder.decode(chunk, { stream: true });
    if (text !== "") this.#events.onText(text);
  };

  #onEnd = () => {
    const torn = this.#decoder.decode();
    if (torn !== "") this.#events.onText(torn);
    this.#events.onEnd();
  };
}
