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
let shown = { atMs: NaN, text: "" };

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
  let line = `${isoTime(atMs)} ${level} ${name} ${event}`;
  for (const key in fields) {
    const value = fields[key];
    if (value !== undefined) line += ` ${key}=${typeof value === "string" ? quoted(value) : value}`;
  }
  return escapeControl(line);
}

function isoTime(atMs: number): string {
  if (atMs !== shown.atMs) shown = { atMs, text: new Date(atMs).toISOString() };
  return shown.text;
}

function quoted(value: string): string {
  return PLAIN.test(value) ? value : JSON.stringify(value);
}
