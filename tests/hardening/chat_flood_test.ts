import { assertLess } from "@std/assert";
import { percentile } from "../../bench/report.ts";
import { PROCESSES, testWith } from "../permissions.ts";
import { CONNECTIONS, describe, FLOODS, measureFlood } from "./flood.ts";

const SECONDS = 3;
// Long enough for a machine that does other things too. Before connections were read no faster than they may speak,
// the best of these was above 70 ms, and the floods that do not wait for answers were above 5,000 ms.
const BOUND_MS = 50;
// Where the machine was too busy at the first try, it may not have been at the second; a server that lets itself be
// starved fails each time.
const TRIES = 3;

for (
  const kind of FLOODS.filter((kind) =>
    /^(strangers (in|flooding)|members (in|flooding)|guesses)/.test(kind)
  )
) {
  testWith(
    PROCESSES,
    `Chat delivers within ${BOUND_MS} ms (p99) under ${CONNECTIONS} connections: ${kind}`,
    async (t) => {
      if (Deno.build.os !== "linux") return;
      const p99s: number[] = [];
      while (p99s.length < TRIES && !(p99s.at(-1)! < BOUND_MS)) {
        const measured = await measureFlood(kind, SECONDS);
        p99s.push(percentile(measured.latenciesMs, 0.99));
        await t.step(describe(measured), () => {});
      }
      assertLess(Math.min(...p99s), BOUND_MS);
    },
  );
}
