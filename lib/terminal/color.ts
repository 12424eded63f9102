/**
 * Colours for a terminal, where it has them and the person wants them.
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
 * Tells whether the terminal has no cursor to move and no colours (`TERM=dumb`).
 *
 * Without permission to read `TERM` the answer is `false`; the permission is never asked for.
 */
export function terminalIsDumb(): boolean {
  const { state } = Deno.permissions.querySync({ name: "env", variable: "TERM" });
  return state === "granted" && Deno.env.get("TERM") === "dumb";
}

/**
 * Tells whether to write colours to standard output: to a terminal that is not dumb, unless `NO_COLOR` is set
 * (https://no-color.org).
 */
export function wantsColor(): boolean {
  return Deno.stdout.isTerminal() && !Deno.noColor && !terminalIsDumb();
}

/** Dresses a text in styles. */
export type Paint = (text: string, ...styles: Style[]) => string;

/** Makes the function that dresses texts; with `enabled` false it leaves them as they are. */
export function painter(enabled: boolean = wantsColor()): Paint {
  if (!enabled) return (text) => text;
  return (text, ...styles) =>
    styles.length === 0
      ? text
      : `\x1b[${styles.map((style) => CODES[style]).join(";")}m${text}\x1b[0m`;
}

/** Gives a name its colour: always the same one, also in capitals or in another Unicode form. */
export function nameStyle(name: string): Style {
  let hash = 0x811c9dc5; // FNV-1a, 32 bits
  for (const char of name.normalize("NFKC").toLowerCase()) {
    hash = Math.imul(hash ^ char.codePointAt(0)!, 0x01000193);
  }
  return NAME_STYLES[(hash >>> 0) % NAME_STYLES.length]!;
}
