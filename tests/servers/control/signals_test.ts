import { assertEquals } from "@std/assert";
import { onHangUpSignal, onStopSignal } from "../../../servers/control/signals.ts";
import { PROCESSES, testWith } from "../../support/permissions.ts";

// Not SIGINT, which ends `deno test` itself; `main_test.ts` sends it to a server.
const EVERYWHERE: Deno.Signal[] = [
  ...["SIGTERM", "SIGQUIT", "SIGALRM", "SIGUSR1", "SIGUSR2"] as const,
  ...["SIGVTALRM", "SIGPROF"] as const,
];
const ON_LINUX: Deno.Signal[] = ["SIGIO", "SIGPWR", "SIGSTKFLT", "SIGXCPU"];

testWith(PROCESSES, "Each signal that would end a program calls back instead", async () => {
  if (Deno.build.os === "windows") return;
  let arrived = Promise.withResolvers<Deno.Signal>();
  using _stop = onStopSignal((signal) => arrived.resolve(signal));
  using _hangUp = onHangUpSignal((signal) => arrived.resolve(signal));

  // A listener to a signal does not keep a program alive.
  const alive = setInterval(() => {}, 1000);
  const onLinux = Deno.build.os === "linux" ? ON_LINUX : [];
  for (const signal of [...EVERYWHERE, ...onLinux, "SIGHUP"] as const) {
    arrived = Promise.withResolvers();
    Deno.kill(Deno.pid, signal);
    assertEquals(await arrived.promise, signal);
  }
  clearInterval(alive);
});
