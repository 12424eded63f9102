import { assertEquals } from "@std/assert";
import { FramedConn } from "../../lib/conn/framed_conn.ts";
import { PROCESSES, testWith } from "../support/permissions.ts";
import { ServerProcess } from "../../tools/shared/server_process.ts";

/** Runs a server whose output goes elsewhere, so that none comes to us. */
function redirected(redirection: string): { under: string[] } {
  return { under: ["sh", "-c", `exec "$@" ${redirection}`, "sh"] };
}

/** Where it listens, from the log: its first line may go nowhere. */
async function loggedPort(server: ServerProcess): Promise<number> {
  for (let tries = 0; tries < 300; tries++) {
    const log = await server.log().catch(() => "");
    const port = / listening host=\S+ port=(\d+)/.exec(log)?.[1];
    if (port) return Number(port);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("The server has not listened for 30 s");
}

const ALL_TO_LOST = [">/dev/full", ">/dev/full 2>/dev/full", ">&-", ">&- 2>&-"];

for (const redirection of Deno.build.os === "linux" ? ALL_TO_LOST : []) {
  testWith(PROCESSES, `main.ts ${redirection} serves, and obeys its console`, async () => {
    await using server = await ServerProcess.start("echo", [], redirected(redirection));
    using conn = await FramedConn.connect({ port: await loggedPort(server) });
    assertEquals(await conn.request("before"), "before");

    await server.type("help\nstatus\n".repeat(20));
    assertEquals(await conn.request("after"), "after");
    await server.type("stop\n");

    assertEquals(await conn.receive(), "Goodbye: the server stops");
    conn.close();
    const { code, err } = await server.ended();
    assertEquals([code, err], [0, ""]);
  });
}
