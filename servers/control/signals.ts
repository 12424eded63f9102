/**
 * The signals that ask a program to end.
 *
 * @module
 */

// Each of these would end the process at once, without cleaning up. SIGHUP has a listener of its own.
const STOP_SIGNALS: Record<string, Deno.Signal[]> = {
  // Ctrl-C is all that is needed there; SIGTERM came late.
  windows: ["SIGINT"],
  linux: [
    ...["SIGINT", "SIGTERM", "SIGQUIT", "SIGALRM", "SIGUSR1", "SIGUSR2"] as const,
    ...["SIGVTALRM", "SIGPROF", "SIGIO", "SIGPWR", "SIGSTKFLT", "SIGXCPU"] as const,
  ],
  other: ["SIGINT", "SIGTERM", "SIGQUIT", "SIGALRM", "SIGUSR1", "SIGUSR2", "SIGVTALRM", "SIGPROF"],
};

/** Calls back at each Ctrl-C, SIGTERM or another signal that would end the process, until it is disposed of. */
export function onStopSignal(listener: (signal: Deno.Signal) => void): Disposable {
  return onSignals(STOP_SIGNALS[Deno.build.os] ?? STOP_SIGNALS["other"]!, listener);
}

/**
 * Calls back when the terminal is gone; on Windows, never. Also under `nohup`: Deno listens to the signal itself, and
 * would end the program at once.
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
