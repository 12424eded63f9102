/**
 * Calls into the application whose errors must not end the caller.
 *
 * @module
 */
import { escapeControl } from "../base/escape.ts";
import { stackOf } from "../base/thrown.ts";

// A callback that always throws must not fill the terminal.
const QUIET_MS = 1000;

/**
 * Makes a callback safe to call: what it throws, or what a promise that it returns rejects with, is printed to standard
 * error, at most once a second; the call then gives `undefined`.
 *
 * @param name What the callback is called in the message.
 */
export function guarded<Args extends unknown[], Result>(
  name: string,
  callback: (...args: Args) => Result,
): (...args: Args) => Result | undefined {
  let quietUntil = -Infinity;
  const report = (error: unknown): void => {
    if (performance.now() < quietUntil) return;
    quietUntil = performance.now() + QUIET_MS;
    printError(`${name} threw`, error);
  };
  return (...args) => {
    try {
      const result = callback(...args);
      if (result instanceof Promise) result.catch(report);
      return result;
    } catch (error) {
      report(error);
      return undefined;
    }
  };
}

/** Prints an error that nothing else would show to standard error. Its text may quote a peer, so it is escaped. */
export function printError(what: string, error: unknown): void {
  console.error(`${what}: ${stackOf(error).split("\n").map(escapeControl).join("\n")}`);
}
