/**
 * Exercise 1.5: every service message of a server is a line in its log file.
 *
 * @module
 */
import type { LogFile } from "../../lib/log/log_file.ts";
import type { ServerEvent } from "../../lib/server/server_events.ts";

/** Writes one event as one line: sizes, never contents. */
export function logEvent(log: LogFile, event: ServerEvent): void {
  switch (event.type) {
    case "received":
      return log.info("data received", { conn: event.conn.id, bytes: event.bytes });
    case "sent":
      return log.info("data sent", { conn: event.conn.id, bytes: event.bytes });
    case "listening":
      return log.info("listening", addressFields(event));
    case "connected":
      return log.info("client connected", { conn: event.conn.id, peer: event.conn.peer });
    case "disconnected":
      return logDisconnected(log, event);
    case "refused":
      return log.warn("client refused", { peer: event.peer, reason: event.reason });
    case "accept_failed":
      return log.error("accept failed", { error: String(event.error) });
    case "paused":
    case "stopped":
      return log.info(event.type);
  }
}

function addressFields(
  event: ServerEvent & { type: "listening" },
): Record<string, string | number> {
  const { hostname, port, requestedPort } = event;
  const moved = requestedPort !== 0 && requestedPort !== port;
  return { host: hostname, port, ...(moved && { busy: requestedPort }) };
}

function logDisconnected(log: LogFile, event: ServerEvent & { type: "disconnected" }): void {
  const { conn: { id, peer }, reason, error } = event;
  const fields = { conn: id, peer, reason };
  if (reason !== "failed") return log.info("client disconnected", fields);
  // The handler's own fault: the only case in which the stack helps, and no message of a peer is in it.
  log.error("client disconnected", { ...fields, error: (error as Error)?.stack ?? String(error) });
}
