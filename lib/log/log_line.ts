/**
 * One line of a log: when, how serious, which server, what happened, with what.
 *
 * @module
 */

import { escapeControl } from "../base/escape.ts";

/** What a log line tells about its event; a field that is `undefined` is left out. */
export type LogFields = Record<string, string | number | boolean | undefined>;

/** Printable ASCII without space, quote, equals sign and backslash: shown as it is. */
const PLAIN = /^[!#-<>-[\]-~]+$/;

/** The last time shown: a busy server writes many lines in one millisecond. */
let shownAtMs = NaN;
let shownTime = "";

/**
 * Writes an event as a line, without its newline:
 * `2026-01-31T12:34:56.789Z INFO echo client connected conn=3 peer=127.0.0.1:50312`.
 *
 * A value with anything but plain ASCII is quoted as in JSON. Whatever a value, an event or a key holds, the
 * result is one line: control characters are shown by {@linkcode escapeControl}.
 */
export function formatLine(
  atMs: number,
  level: string,
  name: string,
  event: string,
  fields?: LogFields,
): string {
  let line = plainLine(atMs, level, name, event);
  for (const key in fields) {
    const value = fields[key];
    if (value !== undefined) line += ` ${key}=${typeof value === "string" ? quoted(value) : value}`;
  }
  return escapeControl(line);
}

/** Writes a line of an event whose text is printable ASCII. */
export function plainLine(atMs: number, level: string, name: string, text: string): string {
  if (atMs !== shownAtMs) {
    shownAtMs = atMs;
    shownTime = new Date(atMs).toISOString();
  }
  return `${shownTime} ${level} ${name} ${text}`;
}

function quoted(value: string): string {
  return PLAIN.test(value) ? value : JSON.stringify(value);
}
