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
export function onStopSignal(listener: (signal: Deno.Signal) => void): Disposable {
  return onSignals(STOP_SIGNALS, listener);
}

/**
 * Calls back when the terminal is gone, as `onStopSignal` does; on Windows, nothing tells it. Also under `nohup`: Deno
 * listens to the signal itself, and would end the program at once.
 */
export function onHangUpSignal(listener: (signal: Deno.Signal) => void): Disposable {
  return onSignals(Deno.build.os === "windows" ? [] : ["SIGHUP"], listener);
}

function onSignals(signals: Deno.Signal[], listener: (signal: Deno.Signal) => void): Disposable {
  const listeners = signals.map((signal) => [signal, () => listener(signal)] as const);
  for (const [signal, listener] of listeners) Deno.addSignalListener(signal, listener);
  return {
    [Symbol.dispose]() {
      for (const [signal, listener] of listeners) Deno.removeSignalListener(signal, listener);
    },
  };
}
