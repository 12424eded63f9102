/**
 * A server that tells its port, then once that accepting failed. The end of its input ends it.
 *
 * @module
 */
import { serve } from "../../../lib/server/server.ts";

// Deno opens descriptors of its own for signals some time after the start, and panics where there are none: like all
// servers that end by a signal, this one has them from the beginning.
Deno.addSignalListener("SIGINT", () => Deno.exit());

let told = false;
await using server = serve(async (conn) => {
  for await (const text of conn) await conn.send(text);
}, {
  onEvent: (event) => {
    if (event.type !== "accept_failed" || told) return;
    told = true;
    console.log((event.error as Error & { code?: string }).code);
  },
});
console.log(server.addr.port);
for await (const _ of Deno.stdin.readable);
