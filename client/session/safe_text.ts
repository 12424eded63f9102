import { escapeControl } from "../../lib/base/escape.ts";

/** The most combining marks on one character: more of them would cover the lines above. */
const MAX_MARKS = 8;
const TOO_MANY_MARKS = new RegExp(`(\\p{M}{${MAX_MARKS}})\\p{M}+`, "gu");

/** Makes a text of a peer safe to show to a person, in a terminal as on a page. */
export function safeText(text: string): string {
  return escapeControl(text).replace(TOO_MANY_MARKS, "$1");
}
