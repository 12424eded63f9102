/**
 * The keyboard: a stream of text, and the mode of the terminal that it comes from.
 *
 * @module
 */

import { constants } from "node:os";
import type { Readable } from "node:stream";

/** Where a terminal reads, such as `process.stdin`. */
export interface TerminalInput extends Readable {
  /** Whether a keyboard is at the other end. */
  isTTY?: boolean;
  /** Asks for every key as it is pressed, not echoed, instead of whole lines. */
  setRawMode?(raw: boolean): unknown;
}

/** What becomes of the input. */
export interface KeyboardEvents {
  /** Called with what came in, in pieces cut anywhere. */
  onText(text: string): void;
  /** Called once at the end of the input, or when it broke. */
  onEnd(): void;
  /** Called at SIGINT. */
  onInterrupt(): void;
  /** Called at SIGHUP. */
  onHangUp(): void;
  /** Called at SIGTERM. */
  onTerminate(): void;
  /** Called when the program continues after it was stopped, and raw mode is set again. */
  onContinue(): void;
  /** Called when an uncaught error is about to end the program. */
  onCrash(): void;
}

/** Signals that end a program at once; the exit gives the terminal back. Not on every system. */
const FATAL = ["QUIT", "ALRM", "USR1", "USR2", "ABRT", "VTALRM", "PROF", "XCPU", "XFSZ", "IO"];

/** Reads text from a keyboard, and puts its terminal in raw mode and back. */
export class Keyboard {
  #input: TerminalInput;
  #events: KeyboardEvents;
  #decoder = new TextDecoder();
  #isRaw = false;
  #signals: [Deno.Signal, () => void][];

  /** Takes the stream; does not read before `start`. */
  constructor(input: TerminalInput, events: KeyboardEvents) {
    this.#input = input;
    this.#events = events;
    this.#signals = [["SIGINT", events.onInterrupt]];
    if (Deno.build.os === "windows") return;
    this.#signals.push(
      ["SIGTERM", events.onTerminate],
      ["SIGHUP", events.onHangUp],
      ["SIGCONT", this.#continue],
    );
    for (const name of FATAL.map((name) => `SIG${name}` as Deno.Signal & keyof typeof numbers)) {
      const number = numbers[name];
      if (number !== undefined) this.#signals.push([name, () => Deno.exit(128 + number)]);
    }
  }

  /** Begins to read. */
  start(): void {
    this.#input.on("data", this.#onData).on("end", this.#onEnd).on("error", this.#onEnd);
    this.#input.resume();
  }

  /** Goes into raw mode, or back. In raw mode signals and crashes are reported, and must give the terminal back. */
  setRaw(raw: boolean): void {
    if (raw === this.#isRaw) return;
    this.#input.setRawMode?.(raw);
    this.#watch(raw);
  }

  #watch(raw: boolean): void {
    this.#isRaw = raw;
    for (const [signal, listener] of this.#signals) {
      if (raw) Deno.addSignalListener(signal, listener);
      else Deno.removeSignalListener(signal, listener);
    }
    for (const event of ["error", "unhandledrejection"]) {
      if (raw) addEventListener(event, this.#events.onCrash);
      else removeEventListener(event, this.#events.onCrash);
    }
  }

  /**
   * Stops for good; the process need not wait for what is read from now on. The mode is set back by a call of `when`, which
   * may defer it: the system waits for what is being written to the terminal, and would block this thread.
   */
  stop(when: (act: () => void) => void): void {
    if (this.#isRaw) {
      this.#watch(false);
      when(() => this.#input.setRawMode?.(false));
    }
    this.#input.off("data", this.#onData).off("end", this.#onEnd);
    this.#input.pause();
  }

  /** The shell that stopped the program has set another mode. */
  #continue = () => {
    this.#input.setRawMode?.(true);
    this.#events.onContinue();
  };

  #onData = (chunk: Uint8Array | string) => {
    const text = typeof chunk === "string" ? chunk : this.#decoder.decode(chunk, { stream: true });
    if (text !== "") this.#events.onText(text);
  };

  #onEnd = () => {
    const truncated = this.#decoder.decode();
    if (truncated !== "") this.#events.onText(truncated);
    this.#events.onEnd();
  };
}

const numbers: Partial<Record<Deno.Signal, number>> = constants.signals;
