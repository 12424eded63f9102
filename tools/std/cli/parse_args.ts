/**
 * Command-line arguments as an object: the options of std's `parseArgs` that the programs here use.
 *
 * @module
 */

/** What `parseArgs` returns: each flag under its name. */
export interface Args {
  /** The arguments that belong to no flag. */
  _: (string | number)[];
  // deno-lint-ignore no-explicit-any -- as in std
  [flag: string]: any;
}

/** Options of `parseArgs`. */
export interface ParseOptions {
  /** The flags that take no value; they are `false` when absent. */
  boolean?: string | readonly string[] | undefined;
  /** The flags whose value stays a text; the value of any other becomes a number when it looks like one. */
  string?: string | readonly string[] | undefined;
  /** The flags that may be given many times and become a list; of any other the last one counts. */
  collect?: string | readonly string[] | undefined;
  /** Called for each argument that no other option names; `false` leaves it out of the result. */
  unknown?: ((arg: string, key?: string, value?: unknown) => unknown) | undefined;
}

/**
 * Parses `--name value`, `--name=value`, `--name`, `-n`, `-n value` and everything else, which goes to `_`.
 *
 * Nothing after `--` is parsed. A name with dots makes nested objects: `--up.delay 5` is `{ up: { delay: 5 } }`.
 */
export function parseArgs(args: readonly string[], options: ParseOptions = {}): Args {
  return new Parse(options).run(args);
}

type Value = string | number | boolean;

class Parse {
  readonly #unknown: ParseOptions["unknown"];
  readonly #boolean: Set<string>;
  readonly #string: Set<string>;
  readonly #collect: Set<string>;
  readonly #parsed: Args = { _: [] };
  #rest: string[] = [];

  constructor({ boolean = [], string = [], collect = [], unknown }: ParseOptions) {
    this.#boolean = new Set([boolean].flat());
    this.#string = new Set([string].flat());
    this.#collect = new Set([collect].flat());
    this.#unknown = unknown;
  }

  run(args: readonly string[]): Args {
    const end = args.indexOf("--");
    this.#rest = args.slice(0, end < 0 ? undefined : end);
    while (this.#rest.length > 0) this.#take(this.#rest.shift()!);
    this.#fillAbsent();
    if (end >= 0) this.#parsed._.push(...args.slice(end + 1));
    return this.#parsed;
  }

  #take(arg: string): void {
    const [, key, value] = /^--?([^-=][^=]*)(?:=(.*))?$/s.exec(arg) ?? [];
    if (key !== undefined) this.#takeFlag(key, value, arg);
    else if (this.#unknown?.(arg) !== false) this.#parsed._.push(numberOr(arg));
  }

  #takeFlag(key: string, value: string | undefined, arg: string): void {
    if (value !== undefined) {
      return this.#set(key, this.#boolean.has(key) ? value !== "false" : value, arg);
    }
    const next = this.#rest[0];
    const isValue = next !== undefined && next !== "" && !next.startsWith("-");
    if (isValue && !this.#boolean.has(key)) this.#set(key, this.#rest.shift()!, arg);
    else if (next === "true" || next === "false") {
      this.#set(key, this.#rest.shift() === "true", arg);
    } else this.#set(key, this.#string.has(key) ? "" : true, arg);
  }

  #set(key: string, value: Value, arg: string): void {
    const isKnown = [this.#boolean, this.#string, this.#collect].some((names) => names.has(key));
    if (!isKnown && this.#unknown?.(arg, key, value) === false) return;
    const parsed = typeof value === "string" && !this.#string.has(key) ? numberOr(value) : value;
    this.#put(key, parsed, this.#collect.has(key));
  }

  /** Sets a value by a name whose dots lead into nested objects; a list gets one more. */
  #put(name: string, value: unknown, isList = false): void {
    const parts = name.split(".");
    const last = parts.pop()!;
    let object: Record<string, unknown> = this.#parsed;
    for (const part of parts) {
      if (isReserved(object, part)) return;
      object = (object[part] ??= {}) as Record<string, unknown>;
    }
    if (isReserved(object, last)) return;
    const before = object[last];
    if (!isList) object[last] = value;
    else if (Array.isArray(before)) before.push(value);
    else object[last] = before ? [before, value] : [value];
  }

  #fillAbsent(): void {
    for (const key of [...this.#boolean, ...this.#string]) {
      if (!this.#isAbsent(key)) continue;
      if (this.#collect.has(key)) this.#put(key, []);
      else if (this.#boolean.has(key)) this.#put(key, false);
    }
  }

  #isAbsent(key: string): boolean {
    let object: unknown = this.#parsed;
    return key.split(".").some((part) => {
      if (!Object.hasOwn(object as object, part)) return true;
      object = (object as Record<string, unknown>)[part];
      return false;
    });
  }
}

function isReserved(object: Record<string, unknown>, name: string): boolean {
  return name === "__proto__" ||
    (name === "constructor" && typeof object[name] === "function");
}

function numberOr(text: string): string | number {
  return text.trim() !== "" && Number.isFinite(Number(text)) ? Number(text) : text;
}
