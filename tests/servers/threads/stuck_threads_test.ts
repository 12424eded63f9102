import { assertEquals } from "@std/assert";
import { FramedConn } from "../../../lib/conn/framed_conn.ts";
import { readLines } from "../../../lib/terminal/lines.ts";
import { PROCESSES, testWith } from "../../support/permissions.ts";

for (const order of ["loop", "loop in microtasks"]) {
  testWith(
    PROCESSES,
    `Threads serves the others while one does: ${order}; it does not hold up the stop`,
    async () => {
      await using process = startProcess();
      const port = Number(await process.line());
      using stuck = await FramedConn.connect({ port });
      using other = await FramedConn.connect({ port });
      assertEquals(await other.request("before"), "before");

      await stuck.send(order);

      for (let i = 0; i < 200; i++) assertEquals(await other.request("after"), "after");
      {
        using newcomer = await FramedConn.connect({ port });
        assertEquals(await newcomer.request("new"), "new");
      }
      process.stop();
      for (const conn of [stuck, other]) {
        assertEquals(await conn.receive(), "Goodbye: the server stops");
        conn.close();
      }
      const said = await process.rest();
      assertEquals([said.includes("stuck 1"), said.includes("ended 1")], [true, false]);
      assertEquals(said.at(-1), "stopped");
      assertEquals((await process.status).code, 0);
    },
  );
}

/** The server in a process of its own. */
function startProcess() {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--quiet",
      "--allow-net",
      "--allow-read",
      "tests/servers/threads/stuck_threads.ts",
    ],
    cwd: new URL("../../../", import.meta.url),
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const lines = readLines(child.stdout);
  return {
    status: child.status,
    stop: () => child.stdin.close(),
    async line(): Promise<string | undefined> {
      return (await lines.next()).value ?? undefined;
    },
    async rest(): Promise<string[]> {
      const rest = [];
      for await (const line of lines) rest.push(line);
      return rest;
    },
    async [Symbol.asyncDispose](): Promise<void> {
      try {
        child.kill("SIGKILL");
      } catch {
        // It has ended already.
      }
      await child.status;
    },
  };
}
