/**
 * Why a server cannot start, in words that help whoever started it by its task.
 *
 * @module
 */

const MAY_LISTEN = "this task may listen on this machine, as --host 127.0.0.1, localhost or " +
  "::1, and for the whole network on --host 0.0.0.0, or :: with IPv6";
const MAY_WRITE =
  "this task may use files below data/ only, as --data data/second or --log data/my.log";

/**
 * The message of an error. Where Deno refused a permission, it says what the server's task may do: Deno's own advice, to
 * give a flag, cannot be followed there.
 */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { message, cause } = error;
  const refused = [error, cause].some((error) => error instanceof Deno.errors.NotCapable);
  if (!refused) return message;
  return message.replace(
    /Requires (\w+) access.*/s,
    (_, what) => what === "net" ? MAY_LISTEN : MAY_WRITE,
  );
}
