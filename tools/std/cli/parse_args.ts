/**
 * Command-line arguments as an object.
 *
 * @module
 */

/** What `parseArgs` returns: each flag under its name and its aliases. */
export interface Args {
  /** The arguments that belong to no flag. */
  _: (string | number)[];
  // deno-lint-ignore no-explicit-any -- as in std
  [flag: string]: any;
}

/** Options of `parseArgs`, whose types are simpler than those of std. A name that has aliases lends them its type. */
export interface ParseOptions {
  /** Whether the arguments after `--` are kept apart, in `"--"`. */
  "--"?: boolean | undefined;
  /** Other names of flags. */
  alias?: Record<string, string | readonly string[]> | undefined;
  /** The flags that take no value; they are `false` when absent. `true` makes every `--name` one of them. */
  boolean?: boolean | string | readonly string[] | undefined;
  /** Values of absent flags. */
  default?: Record<string, unknown> | undefined;
  /** Whether the first argument that belongs to no flag ends the flags. */
  stopEarly?: boolean | undefined;
  /** The flags whose value stays a text; the value of any other becomes a number when it looks like one. */
  string?: string | readonly string[] | undefined;
  /** The flags that may be given many times and become a list; of any other the last one counts. */
  collect?: string | readonly string[] | undefined;
  /** The flags for which `--no-name` means `false`. */
  negatable?: string | readonly string[] | undefined;
  /** Called for each argument that no other option names; `false` leaves it out of the result. */
  unknown?: ((arg: string, key?: string, value?: unknown) => unknown) | undefined;
}

/**
 * Parses `--name value`, `--name=value`, `--name`, `-n value`, `-n5`, `-abc` and everything else, which goes to `_`.
 *
 * Nothing after `--` is parsed. A name with dots makes nested objects: `--up.delay 5` is `{ up: { delay: 5 } }`.
 */
export function parseArgs(args: readonly string[], options: ParseOptions = {}): Args {
  return new Parse(options).run(args);
}

type Value = string | number | boolean;

class Parse {
  readonly #options: ParseOptions;
  readonly #aliases = new Map<string, string[]>();
  readonly #boolean: Set<string>;
  readonly #string: Set<string>;
  readonly #collect: Set<string>;
  readonly #negatable: Set<string>;
  readonly #parsed: Args = { _: [] };
  #rest: string[] = [];

  constructor(options: ParseOptions) {
    this.#options = options;
    for (const [key, value] of Object.entries(options.alias ?? {})) {
      const names = [...new Set([key, value ?? []].flat())];
      for (const name of names) this.#aliases.set(name, names.filter((other) => other !== name));
    }
    this.#boolean = this.#withAliases(options.boolean);
    this.#string = this.#withAliases(options.string);
    this.#collect = this.#withAliases(options.collect);
    this.#negatable = this.#withAliases(options.negatable);
  }

  run(args: readonly string[]): Args {
    const end = args.indexOf("--");
    this.#rest = args.slice(0, end < 0 ? undefined : end);
    const afterDashes = end < 0 ? [] : args.slice(end + 1);
    while (this.#rest.length > 0) this.#take(this.#rest.shift()!);
    this.#fillAbsent();
    if (this.#options["--"]) this.#parsed["--"] = afterDashes;
    else this.#parsed._.push(...afterDashes);
    return this.#parsed;
  }

  #take(arg: string): void {
    if (/^--./s.test(arg)) this.#takeLong(arg);
    else if (/^-./s.test(arg)) this.#takeShort(arg);
    else this.#takeOther(arg);
  }

  #takeLong(arg: string): void {
    const [, no, rest = "", value] = /^--(no-)?(.[^=]*)(?:=(.*))?$/s.exec(arg) ?? [];
    if (value !== undefined) {
      return this.#set(rest, this.#boolean.has(rest) ? value !== "false" : value, arg);
    }
    if (no && this.#negatable.has(rest)) return this.#set(rest, false, arg, "replace");
    const key = `${no ?? ""}${rest}`;
    const takesValue = !this.#isBoolean(key) && this.#options.boolean !== true;
    this.#setWithNext(key, arg, takesValue && !this.#rest[0]?.startsWith("-"));
  }

  /** `-abc` is `-a -b -c`; what follows a letter and is no letter is its value. */
  #takeShort(arg: string): void {
    for (let i = 1; i < arg.length - 1; i++) {
      const value = attachedValue(arg[i]!, arg.slice(i + 1));
      if (value !== undefined) return this.#set(arg[i]!, value, arg);
      this.#set(arg[i]!, this.#bare(arg[i]!), arg);
    }
    const last = arg.at(-1)!;
    if (last === "-") return;
    const next = this.#rest[0] ?? "";
    this.#setWithNext(last, arg, !this.#isBoolean(last) && !/^--?[^-]/.test(next));
  }

  #takeOther(arg: string): void {
    if (this.#options.unknown?.(arg) !== false) {
      this.#parsed._.push(this.#string.has("_") ? arg : numberOr(arg));
    }
    if (this.#options.stopEarly) this.#parsed._.push(...this.#rest.splice(0));
  }

  #setWithNext(key: string, arg: string, mayTake: boolean): void {
    const next = this.#rest[0];
    if (next && mayTake) this.#set(key, this.#rest.shift()!, arg);
    else if (next === "true" || next === "false") {
      this.#set(key, this.#rest.shift() === "true", arg);
    } else this.#set(key, this.#bare(key), arg);
  }

  #set(key: string, value: Value, arg: string, how: "add" | "replace" = "add"): void {
    if (!this.#isKnown(key, arg) && this.#options.unknown?.(arg, key, value) === false) return;
    const parsed = typeof value === "string" && !this.#string.has(key) ? numberOr(value) : value;
    const isList = how === "add" && this.#collect.has(key);
    for (const name of [key, ...this.#aliases.get(key) ?? []]) this.#put(name, parsed, isList);
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
    for (const [key, value] of Object.entries(this.#options.default ?? {})) {
      if (!this.#isAbsent(key)) continue;
      for (const name of [key, ...this.#aliases.get(key) ?? []]) this.#put(name, value);
    }
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

  #isKnown(key: string, arg: string): boolean {
    const everyFlag = this.#options.boolean === true && /^--[^=]+$/.test(arg);
    return everyFlag || this.#aliases.has(key) ||
      [this.#boolean, this.#string, this.#collect].some((names) => names.has(key));
  }

  #isBoolean(key: string): boolean {
    return [key, ...this.#aliases.get(key) ?? []].some((name) => this.#boolean.has(name));
  }

  /** The value of a flag without one. */
  #bare(key: string): Value {
    return this.#string.has(key) ? "" : true;
  }

  #withAliases(names: string | boolean | readonly string[] | undefined): Set<string> {
    const list = [names ?? []].flat().filter((name) => typeof name === "string" && name !== "");
    return new Set(
      list.flatMap((name) => [String(name), ...this.#aliases.get(String(name)) ?? []]),
    );
  }
}

function isReserved(object: Record<string, unknown>, name: string): boolean {
  return name === "__proto__" ||
    (name === "constructor" && typeof object[name] === "function");
}

function attachedValue(letter: string, rest: string): string | undefined {
  if (rest === "-") return rest;
  if (rest === "=") return "";
  if (/[A-Za-z]/.test(letter)) {
    const value = /=(.+)/.exec(rest)?.[1];
    if (value !== undefined) return value;
    if (/-?\d+(\.\d*)?(e-?\d+)?$/.test(rest)) return rest;
  }
  // The last character is a flag of its own, whatever it is.
  return /^\W./s.test(rest) ? rest : undefined;
}

function numberOr(text: string): string | number {
  return text.trim() !== "" && Number.isFinite(Number(text)) ? Number(text) : text;
}
