/** A program for the pseudo-terminal test: answers each line, and ends in the ways programs do. */
import { Terminal } from "../../../lib/terminal/terminal.ts";

using terminal = new Terminal();
terminal.print(`pid ${Deno.pid}.`);
const password = await terminal.secret("Password: ");
terminal.print(`${password?.length} letters, editing: ${terminal.isInteractive}`);
for await (const line of terminal) {
  terminal.print(`got ${line}`);
  if (line === "leave") {
    await terminal.written();
    Deno.exit(0);
  }
  if (line === "crash") setTimeout(() => reportError(new Error("crashed")));
}
terminal.close();
terminal.print("ended");
