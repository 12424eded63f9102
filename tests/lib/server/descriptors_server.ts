/**
 * A server that tells its port, then once that accepting failed. The end of its input ends it.
 *
 * @module
 */
import { serve } from "../../../lib/server/server.ts";

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
