/**
 * The arguments of a task, as `deno task` passes them.
 *
 * @module
 */

/** The arguments without `--`, which some write between a task and its flags. */
export function withoutSeparator(args: readonly string[]): string[] {
  return args.filter((arg) => arg !== "--");
}

/** The arguments with a number below zero, which looks like a flag, joined to the flag before it: `--port=-1`. */
export function withNegatives(args: readonly string[], flags: readonly string[]): string[] {
  const isNegative = (i: number) =>
    /^-\d/.test(args[i] ?? "") && flags.some((flag) => args[i - 1] === `--${flag}`);
  return args.flatMap((arg, i) =>
    isNegative(i) ? [] : isNegative(i + 1) ? `${arg}=${args[i + 1]}` : arg
  );
}
