/**
 * The command line of every program of the servers' and tools' side: flags from a table, `--help`, exit codes.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { noFlag } from "../../lib/base/nearest.ts";
import { withNegatives, withoutSeparator } from "../../lib/terminal/task_args.ts";
import { messageOf } from "../../lib/base/thrown.ts";
import { wrapText } from "../../lib/terminal/text_layout.ts";
import { linesPrinted, printError, printLine } from "./output.ts";

const HELP_COLUMNS = 80;

/** One flag of a program. */
export interface Flag {
  /** What stands after it in the help, as `N`; a flag without it is a switch. */
  value?: string;
  /** What it does, for `--help`. */
  help: string;
  /** The value where it is not given. */
  default?: string;
  /** Refuses a bad value by an error whose message says, after its last `: `, what to give. */
  check?(text: string): unknown;
  /** Whether the help leaves it out. */
  isHidden?: boolean;
}

/** Flags by name. `--help` needs no entry. */
export type Flags = Record<string, Flag>;

/** A program as its command line describes it. */
export interface Program {
  /** How it is started, as `deno task echo [flags]`. */
  usage: string;
  /** The flags, in the order of the help. */
  flags: Flags;
  /** What the help says after the flags. */
  notes?: string;
}

/** The values of flags by name; that of a switch is `""`. A flag that is missing was not given and has no default. */
export type FlagValues = Record<string, string>;

/** A command line asks for help, or gives values; `given` names the flags that were given. */
export type CommandLine = { help: string } | { values: FlagValues; given: Set<string> };

/** The user's mistake on the command line: exit code 2. Any other error of a program has exit code 1. */
export class UsageError extends Error {
  /** The class's name. */
  override readonly name = "UsageError";
}

/** The exit code after any error but the following. */
export const EXIT_FAILURE = 1;
/** The exit code after a {@linkcode UsageError}. */
export const EXIT_USAGE = 2;
/** The exit code of a program that was interrupted before it did its work. */
export const EXIT_INTERRUPTED = 130;

const HELP: Flag = { help: "show this list" };

/**
 * Reads flags. `--`, which some write between a task and its flags, may stand anywhere.
 *
 * @throws {UsageError} If they cannot be understood; the message is one line that says what to do.
 */
export function parseFlags(args: readonly string[], program: Program): CommandLine {
  if (args.includes("--help") || args.includes("-h")) return { help: helpText(program) };
  const values = parseValues(withoutSeparator(args), program.flags);
  const given = new Set(Object.keys(values));
  for (const [name, { default: value }] of Object.entries(program.flags)) {
    if (value !== undefined) values[name] ??= value;
  }
  return { values, given };
}

/**
 * Runs a program to its end and exits with its code, 0 where it gives none. An error becomes one line on standard error.
 *
 * The process ends even if something still waits: a read of standard input, a timer, a thread.
 */
export async function runMain(
  main: () => number | void | Promise<number | void>,
  reasonOf: (error: unknown) => string = messageOf,
): Promise<never> {
  let code;
  try {
    code = await main();
  } catch (error) {
    printError(reasonOf(error));
    code = error instanceof UsageError ? EXIT_USAGE : EXIT_FAILURE;
  }
  await linesPrinted();
  Deno.exit(code ?? Deno.exitCode);
}

/** Runs a program with the flags of this process: {@linkcode parseFlags}, `--help`, and {@linkcode runMain}. */
export function runProgram(
  program: Program,
  main: (values: FlagValues) => number | void | Promise<number | void>,
): Promise<never> {
  return runMain(() => {
    const line = parseFlags(Deno.args, program);
    return "help" in line ? printLine(Deno.stdout, line.help) : main(line.values);
  });
}

/** Makes the check of a flag whose value is a whole number. */
export function wholeNumber(least: number, most: number): (text: string) => void {
  return (text) => {
    const number = /^\d{1,10}$/.test(text) ? Number(text) : NaN;
    if (number >= least && number <= most) return;
    throw new RangeError(`give a whole number from ${least} to ${most}`);
  };
}

function parseValues(args: string[], flags: Flags): FlagValues {
  const names = Object.keys(flags);
  const refuse = (arg: string): never => {
    throw new UsageError(noFlag(arg, [...names, "help"]));
  };
  const withValue = names.filter((name) => flags[name]!.value);
  const switches = names.filter((name) => !flags[name]!.value);
  const assigned = switches.find((name) => args.some((arg) => arg.startsWith(`--${name}=`)));
  if (assigned) throw new UsageError(`Cannot give --${assigned} a value: it is a switch`);
  // `parseArgs` would take `--no-port` for a port.
  const negated = args.find((arg) => arg.startsWith("--no-"));
  if (negated !== undefined && !names.includes(negated.slice(2))) refuse(negated);
  const parsed = parseArgs(withNegatives(args, withValue), {
    string: withValue,
    boolean: switches,
    collect: withValue,
    unknown: refuse,
  });
  for (const arg of parsed._) refuse(`${arg}`);
  const values: FlagValues = {};
  for (const name of names) {
    const value = parsedValue(parsed, name);
    const [text, again] = value === true ? [""] : value || [];
    if (again !== undefined) throw new UsageError(`Cannot use --${name} twice: give it once`);
    if (text !== undefined) values[name] = checked(name, text, flags[name]!);
  }
  return values;
}

/** The values of a flag, or whether a switch was given. `parseArgs` keeps that of `--up.delay` in the object of `up`. */
function parsedValue(parsed: Record<string, unknown>, name: string): boolean | string[] {
  let value: unknown = parsed;
  for (const part of name.split(".")) {
    value = (value as Record<string, unknown> | undefined)?.[part];
  }
  return value as boolean | string[];
}

function checked(name: string, text: string, { value: placeholder, check }: Flag): string {
  if (placeholder !== undefined && text.trim() === "") {
    throw new UsageError(
      `Cannot use --${name} without a value: give it as --${name} ${placeholder}`,
    );
  }
  try {
    check?.(text);
    return text;
  } catch (error) {
    const advice = messageOf(error).replace(/^.*: /, "");
    throw new UsageError(`Cannot use --${name} ${JSON.stringify(text)}: ${advice}`);
  }
}

function helpText({ usage, flags, notes }: Program): string {
  const shown = Object.entries({ ...flags, help: HELP }).filter(([, flag]) => !flag.isHidden);
  const rows = shown.map(([name, flag]) => {
    const fallback = flag.default === undefined ? "" : ` (${flag.default})`;
    return [`--${name} ${flag.value ?? ""}`.trimEnd(), flag.help + fallback] as const;
  });
  const width = Math.max(...rows.map(([flag]) => flag.length));
  const lines = rows.map(([flag, help]) => `  ${flag.padEnd(width)}  ${help}`);
  const text = [`Usage: ${usage}`, "", ...lines, ...(notes ? ["", notes] : [])].join("\n");
  return wrapText(text, { columns: HELP_COLUMNS, table: true })
    .map((row) => row.trimEnd()).join("\n");
}
