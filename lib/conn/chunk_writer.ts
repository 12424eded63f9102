/**
 * Hands chunks of any length to a connection that may take less than it is given.
 *
 * @module
 */

/** Where the bytes go: the part of a `Deno.Conn` that is needed to send. */
export type Writer = Pick<Deno.Conn, "write" | "closeWrite">;

const NOTHING = new Uint8Array(0);

/** Writes one chunk after the other; a subclass says which. */
export abstract class ChunkWriter {
  /** Whether a write is under way. */
  writing = false;
  /** How many bytes of the chunk were not taken yet. */
  inFlightBytes = 0;
  /** How many bytes were taken since the start. */
  writtenBytes = 0;
  readonly #writer: Writer;
  #chunk: Uint8Array = NOTHING;

  /** Writes to `writer`, which nothing else may write to. */
  constructor(writer: Writer) {
    this.#writer = writer;
  }

  /** Called when a chunk was taken as a whole. */
  protected abstract onWritten(): void;

  /** Called when a write has failed. What is left of the chunk is not written. */
  protected abstract onWriteFailed(error: unknown): void;

  /** Starts to write a chunk, whose bytes must not change until it is written. Not while a write is under way. */
  protected writeChunk(chunk: Uint8Array): void {
    this.writing = true;
    this.#chunk = chunk;
    this.inFlightBytes = chunk.length;
    this.#writeRest();
  }

  /** Writes no more of the chunk than what the write under way takes. */
  protected dropChunk(): void {
    this.inFlightBytes = 0;
  }

  /** Hands over the rest, of which the operating system may take a part: 3.9 of 8 MB, once. */
  #writeRest(): void {
    const at = this.#chunk.length - this.inFlightBytes;
    const rest = at === 0 ? this.#chunk : this.#chunk.subarray(at);
    try {
      this.#writer.write(rest).then(
        (bytes) => this.#onTaken(bytes, rest.length),
        (error) => this.#onFailure(error),
      );
    } catch (error) {
      // Not before the caller has returned: as if the promise of the write had rejected.
      queueMicrotask(() => this.#onFailure(error));
    }
  }

  #onTaken(bytes: number, givenBytes: number): void {
    const error = checkTaken(bytes, givenBytes);
    if (error) return this.#onFailure(error);
    this.writtenBytes += bytes;
    this.inFlightBytes = Math.max(this.inFlightBytes - bytes, 0);
    if (this.inFlightBytes > 0) return this.#writeRest();
    this.#end();
    this.onWritten();
  }

  #onFailure(error: unknown): void {
    this.inFlightBytes = 0;
    this.#end();
    this.onWriteFailed(error);
  }

  #end(): void {
    this.#chunk = NOTHING;
    this.writing = false;
  }
}

/** What is wrong with the count that a write returned: a wrapped connection may be anybody's code. */
function checkTaken(bytes: number, givenBytes: number): Error | undefined {
  if (Number.isInteger(bytes) && bytes > 0 && bytes <= givenBytes) return undefined;
  if (bytes === 0) return new Deno.errors.WriteZero("Cannot send: a write took no bytes");
  return new RangeError(`Cannot send: a write of ${givenBytes} bytes returned ${bytes}`);
}
