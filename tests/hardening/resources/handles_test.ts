import { assertEquals } from "@std/assert";
import { LogFile } from "../../../lib/log/log_file.ts";
import { showLog } from "../../../lib/log/log_tail.ts";
import { serve, type Server } from "../../../lib/server/server.ts";
import type { ServerEvent } from "../../../lib/server/server_events.ts";
import { EventLog } from "../../../servers/logging/log_events.ts";
import { testInFolder } from "../../support/permissions.ts";
import { connectTo, echo } from "../../support/served.ts";
import { turns } from "../../support/turns.ts";

const CLIENTS = 2000;
const AT_ONCE = 50;

/** What this process has open, but for pipes and the like; empty where the system does not tell, or not us. */
function handles(): string[] {
  try {
    const links = Array.from(Deno.readDirSync("/proc/self/fd"), ({ name }) => linkOf(name));
    return links.filter((link) => /^(socket:|\/)/.test(link)).map((link) => link.replace(/\d+/, ""))
      .sort();
  } catch {
    return [];
  }
}

function linkOf(descriptor: string): string {
  try {
    return Deno.readLinkSync(`/proc/self/fd/${descriptor}`);
  } catch {
    return ""; // It was that of the list itself.
  }
}

/** Counts those who have left. */
class Departures {
  #count = 0;
  #changed = Promise.withResolvers<void>();

  take({ type }: ServerEvent): void {
    if (type !== "disconnected") return;
    this.#count++;
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  /** Waits until so many have left, and the server has put them away. */
  async reach(count: number): Promise<void> {
    while (this.#count < count) await this.#changed.promise;
    await turns();
  }
}

async function comeAndGo(server: Server, times: number): Promise<void> {
  for (let i = 0; i < times; i++) (await connectTo(server)).close();
}

testInFolder(
  `serve() and LogFile have as much open after ${CLIENTS} clients and many rotations as before`,
  async (folder) => {
    const log = LogFile.open(`${folder}/echo.log`, { name: "echo", maxBytes: 64 * 1024 });
    const departures = new Departures();
    const events = new EventLog(log);
    await using server = serve(echo, {
      port: 0,
      onEvent(event) {
        events.take(event);
        departures.take(event);
      },
    });
    // Whatever is opened once is open after the first.
    await comeAndGo(server, 1);
    await departures.reach(1);
    log.flush();
    const before = handles();

    const visits = Array.from({ length: AT_ONCE }, () => comeAndGo(server, CLIENTS / AT_ONCE));
    await Promise.all(visits);
    await departures.reach(1 + CLIENTS);
    log.flush();
    const after = handles();
    const lines = await showLog(log.path, 4);
    log.close();

    assertEquals(after, before);
    assertEquals(server.connections, 0);
    assertEquals(lines.length, 4);
    const files = Array.from(Deno.readDirSync(folder), ({ name }) => name).sort();
    assertEquals(files, ["echo.log", "echo.log.1", "echo.log.2", "echo.log.3"]);
  },
);
