import { assertEquals } from "@std/assert";
import { formatLine, type LogFields } from "../../../lib/log/log_line.ts";
import type { ConnInfo, ServerEvent } from "../../../lib/server/server_events.ts";
import { EventLog } from "../../../servers/logging/log_events.ts";
import { infoOf } from "../../support/served.ts";

const CONN = infoOf(7, "127.0.0.1");

/** The lines that events of one turn leave. */
async function linesOf(
  events: ServerEvent[],
  isSecret?: (conn: ConnInfo) => boolean,
): Promise<string[]> {
  const lines: string[] = [];
  const write = (level: string) => (text: string, fields?: LogFields) =>
    void lines.push(formatLine(0, level, "echo", text, fields).replace(/^\S+ /, ""));
  const log = new EventLog({
    line: write("INFO"),
    info: write("INFO"),
    warn: write("WARN"),
    error: write("ERROR"),
  });
  log.isSecret = isSecret;
  for (const event of events) log.take(event);
  await Promise.resolve();
  return lines;
}

const LINES: [event: ServerEvent, line: string][] = [
  [
    { type: "listening", hostname: "127.0.0.1", port: 9090, requestedPort: 9090 },
    "INFO echo listening host=127.0.0.1 port=9090",
  ],
  [
    { type: "listening", hostname: "127.0.0.1", port: 9091, requestedPort: 9090 },
    "INFO echo listening host=127.0.0.1 port=9091 busy=9090",
  ],
  [
    { type: "listening", hostname: "127.0.0.1", port: 5123, requestedPort: 0 },
    "INFO echo listening host=127.0.0.1 port=5123",
  ],
  [{ type: "connected", conn: CONN }, "INFO echo client connected conn=7 peer=127.0.0.1:7"],
  [{ type: "received", conn: CONN, bytes: 12 }, "INFO echo data received conn=7 bytes=12"],
  [{ type: "sent", conn: CONN, bytes: 0 }, "INFO echo data sent conn=7 bytes=0"],
  [
    { type: "disconnected", conn: CONN, reason: "finished" },
    "INFO echo client disconnected conn=7 peer=127.0.0.1:7 reason=finished",
  ],
  [
    { type: "disconnected", conn: CONN, reason: "truncated", error: new Error("private words") },
    "INFO echo client disconnected conn=7 peer=127.0.0.1:7 reason=truncated",
  ],
  [
    { type: "disconnected", conn: CONN, reason: "failed", error: "no error\n\x1b[2J" },
    String
      .raw`ERROR echo client disconnected conn=7 peer=127.0.0.1:7 reason=failed error="no error\n\u001b[2J"`,
  ],
  [
    { type: "refused", peer: "[::1]:5", reason: "crowded" },
    "WARN echo client refused peer=[::1]:5 reason=crowded",
  ],
  [
    { type: "accept_failed", error: new Error("too many open files") },
    'ERROR echo accept failed error="Error: too many open files"',
  ],
  [{ type: "paused" }, "INFO echo paused"],
  [{ type: "stopped" }, "INFO echo stopped"],
];

for (const [event, line] of LINES) {
  Deno.test(`EventLog writes ${line.slice(0, 70)}`, async () => {
    assertEquals(await linesOf([event]), [line]);
  });
}

const sent = (id: number, bytes: number): ServerEvent => {
  return { type: "sent", conn: { ...CONN, id }, bytes };
};

Deno.test("EventLog writes one line for a broadcast, with the number of receivers", async () => {
  const received: ServerEvent = { type: "received", conn: CONN, bytes: 5 };

  assertEquals(await linesOf([received, sent(1, 9), sent(2, 9), sent(3, 9), sent(7, 4)]), [
    "INFO echo data received conn=7 bytes=5",
    "INFO echo data sent conns=3 bytes=9",
    "INFO echo data sent conn=7 bytes=4",
  ]);
});

Deno.test("EventLog writes one line for each of several messages that many connections get in a turn", async () => {
  const toAll = [1, 2, 3].flatMap((id) => {
    const conn = { ...CONN, id };
    return [9, 9, 12].map((bytes): ServerEvent => ({ type: "sent", conn, bytes }));
  });
  const conn = { ...CONN, id: 4 };
  const own = [9, 5].map((bytes): ServerEvent => ({ type: "sent", conn, bytes }));

  assertEquals(await linesOf([...toAll, ...own, sent(5, 9)]), [
    "INFO echo data sent conns=4 bytes=9",
    "INFO echo data sent conns=3 bytes=9",
    "INFO echo data sent conns=3 bytes=12",
    "INFO echo data sent conn=4 bytes=5",
    "INFO echo data sent conn=5 bytes=9",
  ]);
});

Deno.test("EventLog writes a line for each message to the same connection", async () => {
  const conn = { ...CONN };
  const twice = Array<ServerEvent>(2).fill({ type: "sent", conn, bytes: 3 });

  assertEquals(await linesOf(twice), Array(2).fill("INFO echo data sent conn=7 bytes=3"));
});

Deno.test("EventLog counts messages whose sizes are secret, and does not log them", async () => {
  const events: ServerEvent[] = [{ type: "received", conn: CONN, bytes: 99 }, sent(7, 50)];

  assertEquals(await linesOf(events, () => true), []);
});
