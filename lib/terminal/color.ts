/**
 * Colours for a terminal that has them, unless the user wants none.
 *
 * @module
 */

/** How a text can look. */
export type Style =
  | "bold"
  | "dim"
  | "red"
  | "green"
  | "yellow"
  | "blue"
  | "magenta"
  | "cyan"
  | "brightRed"
  | "brightGreen"
  | "brightYellow"
  | "brightBlue"
  | "brightMagenta"
  | "brightCyan";

/** The number of each style's SGR escape code (ECMA-48, 8.3.117). */
const CODES: Record<Style, number> = {
  bold: 1,
  dim: 2,
  red: 31,
  green: 32,
  yellow: 33,
  blue: 34,
  magenta: 35,
  cyan: 36,
  brightRed: 91,
  brightGreen: 92,
  brightYellow: 93,
  brightBlue: 94,
  brightMagenta: 95,
  brightCyan: 96,
};

const NAME_STYLES = (Object.keys(CODES) as Style[]).filter((style) => CODES[style] > 2);

/**
 * Whether the terminal has no cursor to move and no colours (`TERM=dumb`).
 *
 * Without permission to read `TERM` the answer is `false`; the permission is never asked for.
 */
export function terminalIsDumb(): boolean {
  const { state } = Deno.permissions.querySync({ name: "env", variable: "TERM" });
  return state === "granted" && Deno.env.get("TERM") === "dumb";
}

/**
 * Whether to write colours to standard output: to a terminal that is not dumb, unless `NO_COLOR` is set
 * (https://no-color.org).
 */
export function wantsColor(): boolean {
  return Deno.stdout.isTerminal() && !Deno.noColor && !terminalIsDumb();
}

/** Adds styles to a text. */
export type Paint = (text: string, ...styles: Style[]) => string;

/** Makes the function that adds styles; with `enabled` false it leaves texts as they are. */
export function painter(enabled: boolean = wantsColor()): Paint {
  if (!enabled) return (text) => text;
  return (text, ...styles) =>
    styles.length === 0
      ? text
      : `\x1b[${styles.map((style) => CODES[style]).join(";")}m${text}\x1b[0m`;
}

/** The colour of a name: always the same, also in capitals or in another Unicode form. */
export function nameStyle(name: string): Style {
  let hash = 0x811c9dc5; // FNV-1a, 32 bits
  for (const char of name.normalize("NFKC").toLowerCase()) {
    hash = Math.imul(hash ^ char.codePointAt(0)!, 0x01000193);
  }
  return NAME_STYLES[(hash >>> 0) % NAME_STYLES.length]!;
}
