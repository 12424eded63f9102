/**
 * The launcher of every server: the listening thread first, for it takes longest to load, and then the control thread.
 *
 * @module
 */
import { ListeningThread } from "./control/listening_thread.ts";

// Not named in the `import` itself: Deno would load it with this module, before the other thread.
const CONTROL = "./control/control_thread.ts";

if (import.meta.main) {
  using thread = new ListeningThread();
  const { control, EXIT_FAILURE }: typeof import("./control/control_thread.ts") = await import(
    CONTROL
  );
  Deno.exitCode = await control(thread, Deno.args);
  // A thread in an endless loop cannot be ended, and would keep the process alive.
  if (Deno.exitCode === EXIT_FAILURE) Deno.exit();
}
