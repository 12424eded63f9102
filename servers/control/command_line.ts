/**
 * The command line of a server: what it asks for, or what is wrong with it.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { nearest, noFlag } from "../../lib/base/nearest.ts";
import { withNegatives, withoutSeparator } from "../../lib/base/task_args.ts";
import { configOf, type ServerConfig, SERVERS } from "./config.ts";
import { type Flag, flagsOf } from "./flags.ts";

/** What a command line asks for: help, or to run with a configuration, of which some was given by flags. */
export type CommandLine = { help: string } | { config: ServerConfig; given: Set<string> };

/**
 * Reads a server's name and its flags. `--`, which some write between a task and its flags, may stand anywhere.
 *
 * @throws {Error} If they cannot be understood; the message is one line that says what to do.
 */
export function parseCommandLine(line: string[]): CommandLine {
  const [first = "", ...args] = withoutSeparator(line);
  if (first === "--help") return { help: `Usage: deno task NAME [flags]\n\n${serverNames()}` };
  const name = SERVERS.find((server) => server === first);
  if (name === undefined) throw new Error(noServer(first));
  const flags = flagsOf(name);
  const values = parseValues(args, flags);
  if ("help" in values) return { help: helpText(name, flags) };
  const given = new Set(Object.keys(values));
  for (const [flag, { default: fallback }] of Object.entries(flags)) {
    if (fallback !== undefined) values[flag] ??= fallback;
  }
  return { config: configOf(name, values), given };
}

function parseValues(args: string[], flags: Record<string, Flag>): Record<string, string> {
  const names = Object.keys(flags);
  const withValue = names.filter((name) => flags[name]!.value);
  const switches = names.filter((name) => !flags[name]!.value);
  const assigned = switches.find((name) => args.some((arg) => arg.startsWith(`--${name}=`)));
  if (assigned) throw new Error(`Cannot give --${assigned} a value: it is a switch`);
  const parsed = parseArgs(withNegatives(args, withValue), {
    string: withValue,
    boolean: switches,
    collect: withValue,
    unknown: (arg) => refuse(arg, names),
  });
  for (const arg of parsed._) refuse(`${arg}`, names);
  const values: Record<string, string> = {};
  for (const name of names) {
    const given = parsed[name] as boolean | string[];
    const [text, again] = given === true ? [""] : given || [];
    if (again !== undefined) throw new Error(`Cannot use --${name} twice: give it once`);
    if (text !== undefined) values[name] = checked(name, text, flags[name]!);
  }
  return values;
}

function checked(name: string, text: string, { value: placeholder, check }: Flag): string {
  if (placeholder !== undefined && text.trim() === "") {
    throw new Error(`Cannot use --${name} without a value: give it as --${name} ${placeholder}`);
  }
  try {
    check?.(text);
    return text;
  } catch (error) {
    const { message } = error as Error;
    throw new Error(
      `Cannot use --${name} ${JSON.stringify(text)}: ${message.replace(/^.*: /, "")}`,
    );
  }
}

function refuse(arg: string, names: string[]): never {
  throw new Error(noFlag(arg, names));
}

function noServer(name: string): string {
  if (name === "") return `Cannot start a server without its name: ${serverNames()}`;
  const near = nearest(name, SERVERS);
  return `There is no server ${JSON.stringify(name)}: ${
    near ? `did you mean ${near}?` : serverNames()
  }`;
}

function serverNames(): string {
  return `NAME is one of ${SERVERS.join(", ")}`;
}

function helpText(name: string, flags: Record<string, Flag>): string {
  const rows = Object.entries(flags).map(([flag, { value = "", help, default: fallback }]) =>
    [
      `--${flag} ${value}`.trimEnd(),
      help + (fallback === undefined ? "" : ` (${fallback})`),
    ] as const
  );
  const width = Math.max(...rows.map(([flag]) => flag.length));
  return [
    `Usage: deno task ${name} [flags]`,
    "",
    ...rows.map(([flag, help]) => `  ${flag.padEnd(width)}  ${help}`),
  ].join("\n");
}
