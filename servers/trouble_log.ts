/**
 * Trouble that lasts is told now and then, not each time it strikes.
 *
 * @module
 */
import type { LogFile } from "../lib/log_file.ts";

// While a disk is full, every message of every client fails: a line for each would bury the log.
const QUIET_MS = 10_000;

/**
 * Makes what logs failures of one kind: the first at once, and then one line in 10 s at most, with `more`, the number of
 * failures since the line before.
 *
 * @param log Where the lines go.
 * @param event What they say.
 * @param now Gives the time in milliseconds; it must not jump back.
 */
export function troubleLog(
  log: Pick<LogFile, "error">,
  event: string,
  now: () => number = () => performance.now(),
): (error: unknown) => void {
  let quietUntil = -Infinity;
  let more = 0;
  return (error) => {
    if (now() < quietUntil) return void more++;
    log.error(event, { error: String(error), ...(more > 0 && { more }) });
    quietUntil = now() + QUIET_MS;
    more = 0;
  };
}
