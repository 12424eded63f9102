/**
 * The command line of the clients: flags from a table, help, and the exit code.
 *
 * @module
 */

import process from "node:process";
import { parseArgs } from "node:util";
import { noFlag } from "../../lib/base/nearest.ts";
import { withoutSeparator } from "../../lib/terminal/task_args.ts";
import { messageOf } from "../../lib/base/thrown.ts";
import { errorsPrinted, printError } from "../../lib/terminal/async_output.ts";
import { wrapText } from "../../lib/terminal/text_layout.ts";

/** A flag that is given or not. */
export interface Switch {
  /** What it does, for `--help`. */
  help: string;
  /** Another spelling, of one letter. */
  short?: string;
}

/** A flag with a value. */
export interface ValueFlag<T = unknown> {
  /** What it does, for `--help`. */
  help: string;
  /** What stands for the value in `--help`, such as `FILE`. */
  value: string;
  /** Reads the value; throws a TypeError or RangeError whose message tells what is wrong. */
  parse(text: string): T;
}

/** The flags of a program by name. */
export type Flags = Record<string, Switch | ValueFlag>;

/** What was given for each flag: `undefined` for a value that is missing. */
export type Values<F extends Flags> = {
  [K in keyof F]: F[K] extends ValueFlag<infer T> ? T | undefined : boolean;
};

/** A program that is started with flags. */
export interface Program<F extends Flags> {
  /** The command that runs it. */
  command: string;
  /** What it does, in a sentence. */
  about: string;
  /** Its flags, `--help` aside. */
  flags: F;
  /** What else `--help` tells: a line for each paragraph. */
  notes: string[];
  /** Runs it, and gives the exit code. */
  run(values: Values<F>): Promise<number>;
}

/** A flag is unknown, or its value is wrong: the exit code is 2. */
export class FlagError extends TypeError {
  /** The name that shows in reports. */
  override readonly name = "FlagError";
}

/** The exit code after Ctrl-C. */
export const INTERRUPTED = 130;

const MAX_HELP_COLUMNS = 80;

/** Runs a program and ends the process with its exit code: 0, 1 after a failure, 2 after a wrong flag. */
export async function runProgram<F extends Flags>(program: Program<F>): Promise<never> {
  const code = await main(program, Deno.args);
  await errorsPrinted();
  // A pending read of standard input would keep the process alive: hence exit().
  return Deno.exit(code);
}

async function main<F extends Flags>(program: Program<F>, args: string[]): Promise<number> {
  try {
    const { help, ...values } = parseFlags(args, { ...program.flags, help: HELP });
    if (!help) return await program.run(values as Values<F>);
    console.log(usage(program, process.stdout.columns));
    return 0;
  } catch (error) {
    // A reader of the output that ended early, such as `head`, is no failure.
    if (error instanceof Error && "code" in error && error.code === "EPIPE") return 0;
    printError(messageOf(error));
    return error instanceof FlagError ? 2 : 1;
  }
}

const HELP: Switch = { help: "show this", short: "h" };

/** What `--help` prints. */
export function usage(program: Omit<Program<Flags>, "run">, columns = MAX_HELP_COLUMNS): string {
  const { command, about, flags, notes } = program;
  const heads = Object.entries({ ...flags, help: HELP }).map(([name, flag]) =>
    ["value" in flag ? `--${name} ${flag.value}` : `--${name}`, flag.help] as const
  );
  const width = Math.max(...heads.map(([head]) => head.length));
  const table = heads.map(([head, help]) => `  ${head.padEnd(width)}  ${help}`).join("\n");
  const text = [about, `Usage: ${command} [flags]`, table, ...notes].join("\n\n");
  return wrapText(text, {
    columns: Math.min(columns || MAX_HELP_COLUMNS, MAX_HELP_COLUMNS),
    table: true,
  })
    .map((row) => row.trimEnd()).join("\n");
}

/**
 * Reads flags. What follows a flag with a value is the value, unless it begins with `--`. The last of several wins.
 *
 * @throws {FlagError} If one is unknown, or its value is missing or wrong.
 */
export function parseFlags<F extends Flags>(args: string[], flags: F): Values<F> {
  const options = Object.entries(flags).map(([name, flag]) =>
    [name, {
      type: "value" in flag ? "string" : "boolean",
      ...("short" in flag && { short: flag.short }),
    }] as const
  );
  const { tokens } = parseArgs({
    args: withoutSeparator(args),
    options: Object.fromEntries(options) as Record<string, { type: "string" | "boolean" }>,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const values: Record<string, unknown> = Object.fromEntries(
    options.map(([name, { type }]) => [name, type === "boolean" ? false : undefined]),
  );
  for (const token of tokens) {
    if (token.kind === "option") values[token.name] = valueOf(token, flags);
    else if (token.kind === "positional") throw new FlagError(noFlag(token.value, []));
  }
  return values as Values<F>;
}

interface OptionToken {
  name: string;
  rawName: string;
  value?: string | undefined;
  inlineValue?: boolean | undefined;
}

function valueOf({ name, rawName, value, inlineValue }: OptionToken, flags: Flags): unknown {
  const flag = Object.hasOwn(flags, name) ? flags[name] : undefined;
  if (!flag) throw new FlagError(noFlag(rawName, Object.keys(flags)));
  if (!("value" in flag)) {
    if (value === undefined) return true;
    throw new FlagError(`Cannot give --${name} a value: it is a switch`);
  }
  if (value === undefined || value === "" || !inlineValue && value.startsWith("--")) {
    throw new FlagError(`Cannot use --${name} without a value: see --help`);
  }
  try {
    return flag.parse(value);
  } catch (error) {
    throw new FlagError((error as Error).message, { cause: error });
  }
}
