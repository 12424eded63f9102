import { assertEquals } from "@std/assert";
import type { LogFile } from "../../../lib/log/log_file.ts";
import { formatLine, type LogFields } from "../../../lib/log/log_line.ts";
import type { ServerEvent } from "../../../lib/server/server_events.ts";
import { logEvent } from "../../../servers/logging/log_events.ts";

const CONN = { id: 7, peer: "127.0.0.1:5000", address: "127.0.0.1", connectedAt: 0 };

/** The line that an event leaves. */
function lineOf(event: ServerEvent): string {
  let line = "";
  const write = (level: string) => (text: string, fields?: LogFields) => {
    line = formatLine(0, level, "echo", text, fields).replace(/^\S+ /, "");
  };
  const log = { info: write("INFO"), warn: write("WARN"), error: write("ERROR") };
  logEvent(log as unknown as LogFile, event);
  return line;
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
  [{ type: "connected", conn: CONN }, "INFO echo client connected conn=7 peer=127.0.0.1:5000"],
  [{ type: "received", conn: CONN, bytes: 12 }, "INFO echo data received conn=7 bytes=12"],
  [{ type: "sent", conn: CONN, bytes: 0 }, "INFO echo data sent conn=7 bytes=0"],
  [
    { type: "disconnected", conn: CONN, reason: "finished" },
    "INFO echo client disconnected conn=7 peer=127.0.0.1:5000 reason=finished",
  ],
  [
    { type: "disconnected", conn: CONN, reason: "torn", error: new Error("private words") },
    "INFO echo client disconnected conn=7 peer=127.0.0.1:5000 reason=torn",
  ],
  [
    { type: "disconnected", conn: CONN, reason: "failed", error: "no error\n\x1b[2J" },
    String
      .raw`ERROR echo client disconnected conn=7 peer=127.0.0.1:5000 reason=failed error="no error\n\u001b[2J"`,
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
  Deno.test(`logEvent() writes ${line.slice(0, 70)}`, () => assertEquals(lineOf(event), line));
}
