/// <reference lib="dom" />
/**
 * One frame as a student looks at it: the text, and the bytes that carry it where frames are spoken. The page itself
 * exchanges the text over a WebSocket.
 *
 * @module
 */

import { safeText } from "../../../lib/base/escape.ts";
import { encodeFrame, HEADER_BYTES } from "../../../lib/frame/frame.ts";
import { element } from "../shared/dom.ts";
import { texts } from "../shared/texts.ts";

const BYTES_A_ROW = 8;
const MAX_ROWS = 32;
const MAX_CHARS = 4096;
/** The values of these fields, which others who look at the screen must not read. */
const SECRETS = /(?<="(?:password|token)":")(?:[^"\\]|\\.)*/g;
const HIDDEN = "*";

/** Makes the view of a message, sent or received. With `hidesSecrets`, passwords and tokens in JSON are starred out. */
export function frameView(
  direction: "sent" | "received",
  text: string,
  { hidesSecrets }: { hidesSecrets: boolean },
): HTMLElement {
  const shown = hidesSecrets ? text.replace(SECRETS, starred) : text;
  const frame = encodeFrame(shown.toWellFormed(), { maxBodyBytes: 0xffff_ffff });
  const body = element("p", "text", safeText(shown.slice(0, MAX_CHARS)));
  body.dir = "auto";
  return element(
    "article",
    `frame ${direction}`,
    element("h3", "", direction === "sent" ? texts.sent : texts.received),
    body,
    bytesOf(frame),
  );
}

/** The same number of bytes, so that the length in the header stays true. */
function starred(secret: string): string {
  return HIDDEN.repeat(new TextEncoder().encode(secret).length);
}

function bytesOf(frame: Uint8Array): HTMLElement {
  const body = frame.subarray(HEADER_BYTES);
  const table = element("table", "");
  table.append(
    row("header", texts.header, frame.subarray(0, HEADER_BYTES), texts.bytes(body.length)),
  );
  for (let i = 0; i < Math.min(body.length, MAX_ROWS * BYTES_A_ROW); i += BYTES_A_ROW) {
    const bytes = body.subarray(i, i + BYTES_A_ROW);
    table.append(row("body", i === 0 ? texts.body : "", bytes, ascii(bytes)));
  }
  const more = body.length - MAX_ROWS * BYTES_A_ROW;
  if (more > 0) table.append(row("body", "", new Uint8Array(), texts.moreBytes(more)));
  return table;
}

function row(kind: string, label: string, bytes: Uint8Array, meaning: string): HTMLElement {
  const title = element("th", "", label);
  title.scope = "row";
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
  return element("tr", kind, title, element("td", "hex", hex), element("td", "", meaning));
}

/** A byte that is no printable character of ASCII is shown as a dot. */
function ascii(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes.map((byte) => byte >= 0x20 && byte < 0x7f ? byte : 0x2e));
}
