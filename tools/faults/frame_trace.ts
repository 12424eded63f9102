/**
 * The wire made visible: a line for every frame that crosses.
 *
 * @module
 */

import { type Paint, painter } from "../../lib/terminal/color.ts";
import { count } from "../../lib/base/numbers.ts";
import { escapeControl } from "../../lib/base/escape.ts";
import { FrameCursor } from "../../lib/faults/frame_cursor.ts";
import { HEADER_BYTES } from "../../lib/frame/frame.ts";

/** What {@linkcode FrameTrace} takes. */
export interface FrameTraceOptions {
  /**
   * How many bytes of a body are shown.
   *
   * @default {48}
   */
  previewBytes?: number;
  /**
   * Whether to mark the parts of a line with terminal colours.
   *
   * @default {false}
   */
  colors?: boolean;
}

// Above it a header is rather a broken one than a long message; what follows may never be complete.
const SUSPICIOUS_BODY_BYTES = 16 * 1024 * 1024;

/**
 * Describes the frames of one direction, in memory that does not grow with them.
 *
 * A frame becomes a line when its last byte has crossed:
 *
 * ```text
 * 00 00 00 05    5 bytes "hello"  in 2 pieces
 * ```
 *
 * A body is shown as text, escaped, when it is UTF-8, otherwise as hex.
 */
export class FrameTrace {
  readonly #cursor = new FrameCursor();
  readonly #previewBytes: number;
  readonly #paint: Paint;
  #header: number[] = [];
  #preview: number[] = [];
  #pieces = 0;

  /** Starts before the first byte. */
  constructor(options: FrameTraceOptions = {}) {
    this.#previewBytes = options.previewBytes ?? 48;
    this.#paint = painter(options.colors ?? false);
  }

  /** The lines of the frames that these bytes complete, and a warning when a header is hard to believe. */
  push(bytes: Uint8Array): string[] {
    const lines: string[] = [];
    let frame = 0;
    for (const segment of this.#cursor.advance(bytes)) {
      if (segment.frame !== frame) this.#pieces++;
      frame = segment.frame;
      const kept = segment.part === "header" ? this.#header : this.#preview;
      const room = (segment.part === "header" ? HEADER_BYTES : this.#previewBytes) - kept.length;
      kept.push(...segment.bytes.subarray(0, room));
      const { frame: next, part, at, of } = this.#cursor.position;
      if (next !== segment.frame) lines.push(this.#whole(segment.part === "body" ? segment.of : 0));
      else if (part === "body" && at === 0 && of > SUSPICIOUS_BODY_BYTES) {
        const warning = this.#paint(`announces ${count(of, "byte")}`, "yellow");
        lines.push(`${this.#headerText()}  ${warning}`);
      }
    }
    return lines;
  }

  /** The line of a frame that the end of the stream tears, if it does. */
  end(): string[] {
    const { part, at, of } = this.#cursor.position;
    if (part === "header" && at === 0) return [];
    const truncated = this.#paint(
      `TRUNCATED after ${at} of ${count(of, "byte")} of the ${part}`,
      "red",
    );
    const body = part === "body" ? `  ${this.#previewText(of)}` : "";
    return [`${this.#headerText()}  ${truncated}${body}`];
  }

  #whole(bodyBytes: number): string {
    const pieces = this.#pieces > 1 ? `  in ${this.#pieces} pieces` : "";
    const parts = [this.#headerText(), count(bodyBytes, "byte"), this.#previewText(bodyBytes)];
    this.#header = [];
    this.#preview = [];
    this.#pieces = 0;
    return parts.join("  ") + pieces;
  }

  #headerText(): string {
    const missing = Array(HEADER_BYTES - this.#header.length).fill("--");
    return this.#paint([hex(this.#header), ...missing].join(" ").trim(), "cyan");
  }

  #previewText(bodyBytes: number): string {
    const shown = Uint8Array.from(this.#preview);
    const rest = bodyBytes - shown.length;
    const more = rest > 0 ? " …" : "";
    try {
      // A stream decoder forgives a character that the preview cuts in two.
      const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
        .decode(shown, { stream: rest > 0 });
      return this.#paint(`"${escapeControl(text)}"`, "green") + more;
    } catch {
      // Not text: the bytes themselves say more than replacement characters would.
      return this.#paint(hex(this.#preview), "magenta") + more;
    }
  }
}

function hex(bytes: number[]): string {
  return bytes.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
}
