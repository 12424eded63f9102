/**
 * Messages → bytes: the write buffer of one connection.
 *
 * @module
 */
import {
  checkBytes,
  checkFrame,
  checkText,
  HEADER_BYTES,
  HEADER_SPACE,
  writeHeader,
} from "./frame.ts";
import { MessageEncoder } from "./message_encoder.ts";
import { NO_FRAMES } from "./shared_frames.ts";
import { endOfUnits } from "./utf8.ts";

const encoder = new TextEncoder();
// The most that UTF-8 takes for each UTF-16 unit of a text.
const MAX_CHARACTER_BYTES = 3;

// So many characters wait at most to be encoded together; longer texts gain nothing from waiting.
const MAX_WAITING = 16 * 1024;
// From this mean length on, to count characters costs more than one call a text.
const MAX_COUNTED_LENGTH = 100;
// From this mean length on, one call a text costs less than to join them.
const MAX_JOINED_LENGTH = 600;
// So many small shared frames are held one by one at most: each costs more than its bytes. Large ones are not copied
// before they are written: to copy megabytes for each of a hundred receivers takes seconds.
const MAX_SHARED = 512;
const SMALL_FRAME_BYTES = 1024;

/**
 * Queues messages as frames in one growing buffer, to be written in as few system calls as possible.
 *
 * A `TextEncoder` call costs more than the few bytes it encodes. So texts wait, and are encoded all in one call, with
 * room for the headers between them. If all of them are ASCII there is a byte for every character, and the headers go
 * where they belong. If they are not, but short, their characters are counted; otherwise each is encoded by itself.
 *
 * A message that is refused leaves the queue as it was.
 */
export class FrameEncoder extends MessageEncoder {
  /** Texts that wait to be encoded, and how many characters they are, with a header each. */
  #waiting: string[] = [];
  #waitingLength = 0;
  /** What was queued by `pushFrame` alone: either this is empty or all of the above. */
  #shared = NO_FRAMES;
  /** The texts encoded last were ASCII: a sender mostly keeps its alphabet. */
  #expectsAscii = true;

  /** How many bytes are queued, headers included; where texts that are not ASCII still wait, up to three times that. */
  override get queuedBytes(): number {
    return this.end + this.#waitingLength + this.#shared.length;
  }

  /**
   * Queues one text.
   *
   * @throws {TypeError} If the text has a lone surrogate.
   * @throws {FrameTooLargeError} If the body is over the limit.
   */
  override push(text: string): void {
    checkText(text);
    this.#copyShared();
    if (text.length * MAX_CHARACTER_BYTES > this.maxBodyBytes) return this.#pushChecked(text);
    this.#waiting.push(text);
    this.#waitingLength += HEADER_BYTES + text.length;
    if (this.#waitingLength >= MAX_WAITING) this.#gather();
  }

  /**
   * Queues a copy of `body` as one frame.
   *
   * @throws {FrameTooLargeError} If the body is over the limit.
   */
  override pushBytes(body: Uint8Array): void {
    checkBytes(body);
    if (body.length > this.maxBodyBytes) throw this.tooLarge(body.length);
    this.#gather();
    this.reserve(HEADER_BYTES + body.length);
    this.bytes.set(body, this.end + HEADER_BYTES);
    this.#addFrame(body.length);
  }

  /** Queues a copy of bytes that are frames already, or no frames at all. */
  override pushRaw(bytes: Uint8Array): void {
    this.#gather();
    super.pushRaw(bytes);
  }

  /**
   * Queues one whole frame, whose bytes must not change any more.
   *
   * It is not copied while nothing else waits, so that a broadcast costs one batch of bytes for all who keep up.
   */
  override pushFrame(frame: Uint8Array): void {
    if (this.end + this.#waitingLength > 0) {
      checkFrame(frame);
      this.#gather();
      this.add(frame);
      this.added(frame.length - HEADER_BYTES);
    } else {
      this.#shared = this.#shared.append(frame);
      const { count, length } = this.#shared;
      if (count >= MAX_SHARED && length < count * SMALL_FRAME_BYTES) this.#copyShared();
    }
  }

  /**
   * Hands over everything queued, which must not be changed. It is good until `release`, which comes before the next
   * `take`.
   */
  override take(): Uint8Array {
    return this.#shared === NO_FRAMES ? this.#takeOwn() : this.#takeShared();
  }

  /** Forgets everything queued. */
  override clear(): void {
    super.clear();
    this.#waiting = [];
    this.#waitingLength = 0;
    // Without this, frames that no connection sends would stay in memory.
    if (this.#shared !== NO_FRAMES) NO_FRAMES.forget();
    this.#shared = NO_FRAMES;
  }

  #takeOwn(): Uint8Array {
    this.#gather();
    return super.take();
  }

  #takeShared(): Uint8Array {
    const shared = this.#shared;
    this.#shared = NO_FRAMES;
    this.tookShared(shared);
    return shared.bytes;
  }

  #copyShared(): void {
    const shared = this.#shared;
    if (shared === NO_FRAMES) return;
    this.#shared = NO_FRAMES;
    this.add(shared.bytes);
    this.addedShared(shared);
  }

  /** Brings what waits, in whatever form, into the buffer. */
  #gather(): void {
    this.#copyShared();
    if (this.#waitingLength === 0) return;
    const texts = this.#waiting;
    const meanLength = this.#waitingLength / texts.length - HEADER_BYTES;
    this.#waiting = [];
    this.#waitingLength = 0;
    const areShort = meanLength <= MAX_COUNTED_LENGTH;
    const areAscii = this.#expectsAscii && meanLength <= MAX_JOINED_LENGTH;
    const together = texts.length > 1 && (areShort || areAscii);
    if (together && this.#encodeTogether(texts, areShort)) return;
    for (const text of texts) this.#addFrame(this.#encodeBody(text));
  }

  /** Encodes texts in one call, and returns whether that was done: those that are ASCII or short. */
  #encodeTogether(texts: string[], areShort: boolean): boolean {
    // The engine joins what `+=` gives when it is encoded, which costs less than `join`.
    let joined = "";
    for (const text of texts) joined += HEADER_SPACE + text;
    const { read, written } = this.#put(joined, 0, areShort);
    this.#expectsAscii = written === joined.length;
    if (read < joined.length) return false;
    for (const { length } of texts) {
      const { bytes, end } = this;
      const body = end + HEADER_BYTES;
      this.#addFrame(this.#expectsAscii ? length : endOfUnits(bytes, body, length) - body);
    }
    return true;
  }

  /** For a text near the limit: its length in bytes shows when it is encoded. */
  #pushChecked(text: string): void {
    if (text.length > this.maxBodyBytes) throw this.tooLarge(text.length);
    this.#gather();
    const bodyBytes = this.#encodeBody(text);
    if (bodyBytes <= this.maxBodyBytes) return this.#addFrame(bodyBytes);
    // The room it took would stay with a connection that may be silent from now on.
    if (this.end === 0) super.clear();
    throw this.tooLarge(bodyBytes);
  }

  /** Encodes a text to where the next frame has its body, and returns its length in bytes. */
  #encodeBody(text: string): number {
    const { written } = this.#put(text, HEADER_BYTES, true);
    this.#expectsAscii = written === text.length;
    return written;
  }

  /** Encodes a text `offset` bytes behind what is queued: as far as there is room for ASCII, or `wholly`. */
  #put(text: string, offset: number, wholly: boolean): TextEncoderEncodeIntoResult {
    const bytesEach = wholly && !this.#expectsAscii ? MAX_CHARACTER_BYTES : 1;
    this.reserve(offset + text.length * bytesEach);
    const put = encoder.encodeInto(text, this.room(offset));
    if (put.read === text.length || !wholly) return put;
    // Not ASCII after all: now make room for the most that UTF-8 can take.
    this.reserve(offset + text.length * MAX_CHARACTER_BYTES);
    return encoder.encodeInto(text, this.room(offset));
  }

  /** Adds the header of a body that is in its place. */
  #addFrame(bodyBytes: number): void {
    writeHeader(this.bytes, this.end, bodyBytes);
    this.end += HEADER_BYTES + bodyBytes;
    this.added(bodyBytes);
  }
}
