/**
 * Connections that follow a script, for faults that a network shows only by chance.
 *
 * @module
 */

import { memoryAddr, MemoryConn } from "../conn/memory_conn.ts";
import { type ByteSink, type ByteSource, Change } from "../conn/memory_pipe.ts";

/**
 * One step of what the peer does: these bytes arrive, this error happens, the stream ends
 * (`null`), or nothing happens until a promise settles.
 */
export type ScriptedRead = Uint8Array | Error | null | PromiseLike<unknown>;

/**
 * One step of what happens to a write: the conn takes at most so many bytes (0 is allowed), this
 * error happens, or nothing is taken until a promise settles.
 */
export type ScriptedWrite = number | Error | PromiseLike<unknown>;

/** What {@linkcode ScriptedConn} takes. */
export interface ScriptedConnOptions {
  /** Steps of the peer, in order. After the last one nothing ever arrives; `null` ends the stream. */
  reads?: Iterable<ScriptedRead>;
  /** Steps of the writes, in order. After the last one every write is taken whole. */
  writes?: Iterable<ScriptedWrite>;
  /**
   * The peer's address.
   *
   * @default {"127.0.0.1"}
   */
  remoteHostname?: string;
}

/**
 * A conn whose reads follow a script and whose writes are recorded.
 *
 * Steps may come from a generator, so a script may be endless: `Array(100).fill(1)` takes one byte
 * in each of a hundred writes. A chunk larger than the reader's buffer is given in several reads,
 * and chunks are never joined, so the boundaries are the script's.
 */
export class ScriptedConn extends MemoryConn {
  readonly #sink: ScriptedSink;

  /** Makes an open conn at the first step of its scripts. */
  constructor(options: ScriptedConnOptions = {}) {
    const sink = new ScriptedSink(options.writes ?? []);
    const remoteAddr = memoryAddr(options.remoteHostname ?? "127.0.0.1", 50_000);
    super(new ScriptedSource(options.reads ?? []), sink, memoryAddr("127.0.0.1", 9090), remoteAddr);
    this.#sink = sink;
  }

  /** What was taken, one element a successful write. */
  get writes(): readonly Uint8Array[] {
    return this.#sink.writes;
  }

  /** All that was taken, in one piece. */
  get written(): Uint8Array<ArrayBuffer> {
    const all = new Uint8Array(this.#sink.writes.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const bytes of this.#sink.writes) {
      all.set(bytes, at);
      at += bytes.length;
    }
    return all;
  }

  /** Whether `closeWrite` or `close` was called. */
  get writeClosed(): boolean {
    return this.#sink.ended;
  }
}

/** Goes through steps; a promise among them delays the ones after it. */
class Script<Step> {
  readonly #steps: Iterator<Step | PromiseLike<unknown>>;
  readonly #change = new Change();
  #held = false;

  constructor(steps: Iterable<Step | PromiseLike<unknown>>) {
    this.#steps = steps[Symbol.iterator]();
  }

  /** The next step, `undefined` after the last one, or a promise of when to ask again. */
  next(): Step | Promise<void> | undefined {
    if (this.#held) return this.#change.promise;
    const { done, value } = this.#steps.next();
    if (done) return undefined;
    if (!isPromiseLike(value)) return value;
    this.#held = true;
    value.then(() => this.#release(), () => this.#release());
    return this.#change.promise;
  }

  /** Settles at the next change. */
  get changed(): Promise<void> {
    return this.#change.promise;
  }

  /** Ends the waiting for a promise of this script. */
  wake(): void {
    this.#change.notify();
  }

  #release(): void {
    this.#held = false;
    this.wake();
  }
}

class ScriptedSource implements ByteSource {
  readonly #script: Script<Uint8Array | Error | null>;
  #rest: Uint8Array = new Uint8Array();
  #ended = false;

  constructor(reads: Iterable<ScriptedRead>) {
    this.#script = new Script(reads);
  }

  take(p: Uint8Array): number | null | Promise<void> {
    if (this.#ended) return null;
    if (this.#rest.length === 0) {
      const step = this.#script.next();
      if (step === undefined) return this.#script.changed;
      if (step instanceof Promise) return step;
      if (step instanceof Error) throw step;
      this.#ended = step === null;
      if (step === null) return null;
      this.#rest = step;
    }
    const part = this.#rest.subarray(0, p.length);
    p.set(part);
    this.#rest = this.#rest.subarray(part.length);
    return part.length;
  }

  abandon(): void {
    this.#script.wake();
  }

  reset(): void {}
}

class ScriptedSink implements ByteSink {
  readonly writes: Uint8Array[] = [];
  ended = false;
  readonly #script: Script<number | Error>;

  constructor(writes: Iterable<ScriptedWrite>) {
    this.#script = new Script(writes);
  }

  put(p: Uint8Array): number | Promise<void> {
    if (this.ended) throw new Deno.errors.BrokenPipe("Broken pipe");
    const step = this.#script.next();
    if (step instanceof Promise) return step;
    if (step instanceof Error) throw step;
    const taken = p.slice(0, step);
    this.writes.push(taken);
    return taken.length;
  }

  end(): void {
    this.ended = true;
    this.#script.wake();
  }

  reset(): void {}
}

function isPromiseLike(step: unknown): step is PromiseLike<unknown> {
  return typeof (step as PromiseLike<unknown> | null)?.then === "function";
}
