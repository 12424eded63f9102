/**
 * A server whose threads may be made to loop for ever: in a process of its own, because nothing else ends such a thread.
 *
 * @module
 */
import { goodbyeText } from "../../../lib/server/end_reason.ts";
import { serve } from "../../../lib/server/server.ts";
import { Threads } from "../../../servers/threads/threads.ts";

const threads = new Threads({
  handler: { module: import.meta.resolve("./hostile_handlers.ts"), name: "obey" },
  graceMs: 50,
  maxThreads: 3,
  onThread: ({ type, conn }) => console.log(`${type} ${conn.id}`),
});
const server = serve(threads.handler, { goodbye: goodbyeText });
console.log(server.addr.port);
// The end of input is the order to stop.
await Deno.stdin.read(new Uint8Array(1));
await server.shutdown();
await threads[Symbol.asyncDispose]();
console.log("stopped");
Deno.exit(0);
