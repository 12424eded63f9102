/**
 * The signals by which a program is asked to end.
 *
 * @module
 */

// Windows gained SIGTERM late, and the console's break key is all that is needed there.
const STOP_SIGNALS: Deno.Signal[] = Deno.build.os === "windows"
  ? ["SIGINT"]
  : ["SIGINT", "SIGTERM"];

/** Calls back at each Ctrl-C or SIGTERM, which then end nothing by themselves, until it is disposed of. */
export function onStopSignal(listener: () => void): Disposable {
  for (const signal of STOP_SIGNALS) Deno.addSignalListener(signal, listener);
  return {
    [Symbol.dispose]() {
      for (const signal of STOP_SIGNALS) Deno.removeSignalListener(signal, listener);
    },
  };
}
