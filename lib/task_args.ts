/**
 * What a person typed behind the name of a task.
 *
 * @module
 */

/** The arguments without `--`, which some write between a task and its flags. */
export function withoutSeparator(args: readonly string[]): string[] {
  return args.filter((arg) => arg !== "--");
}
