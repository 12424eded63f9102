/**
 * The launcher of every server. It starts the listening thread first, because that takes longest to load.
 *
 * @module
 */
import { ListeningThread } from "./control/listening_thread.ts";

// Not named in the `import` itself: Deno would load it with this module, before the other thread.
const CONTROL = "./control/control_thread.ts";

if (import.meta.main) {
  const thread = new ListeningThread();
  const { main }: typeof import("./control/control_thread.ts") = await import(CONTROL);
  await main(thread, Deno.args);
}
