/**
 * Exercise 1.5: every service message of a server is a line in its log file.
 *
 * @module
 */
import type { LogFile } from "../../lib/log/log_file.ts";
import { stackOf } from "../../lib/base/thrown.ts";
import { type EndReason, goodbyeOf, type GoodbyeReason } from "../../lib/server/end_reason.ts";
import type { ConnInfo, ServerEvent } from "../../lib/server/server_events.ts";

const TOLD: GoodbyeReason[] = [
  ...["idle", "kicked", "protocol", "failed", "paused", "shutdown", "full", "crowded"] as const,
];

/** What the `reason=` of a line means, for the operator. */
export const END_REASONS: Record<EndReason, string> = {
  finished: "the client left",
  ended: "the server had nothing more to say, as after a logout or to a client that was too slow",
  lost: "the connection broke, or the client took nothing for 30 s",
  truncated: "the client left in the middle of a message",
  ...Object.fromEntries(TOLD.map((reason) => {
    return [reason, `the client was told: ${goodbyeOf(reason).sentence}`];
  })) as Record<GoodbyeReason, string>,
};

/** Where the lines go. */
type Log = Pick<LogFile, "line" | "info" | "warn" | "error">;

/** A message of a turn: the connection that it went to first, its length, and to how many connections it went. */
interface Sent {
  readonly id: number;
  readonly bytes: number;
  conns: number;
}

/** Writes the events of a server as lines: sizes, never contents. */
export class EventLog {
  /** How many messages were received and sent. */
  messages = 0;
  /** Whether the sizes of a connection's messages are secret: before a login, they are the lengths of passwords. */
  isSecret: ((conn: ConnInfo) => boolean) | undefined;
  readonly #log: Log;
  /** What was sent in this turn: first all to one connection, then all to the next. */
  #sent: Sent[] = [];
  #sentTo: ConnInfo | undefined;
  /** How many of `#sent` went to the connection of the last event. */
  #sentCount = 0;

  /** Writes to `log`. */
  constructor(log: Log) {
    this.#log = log;
  }

  /** Writes one event as one line; a message to many connections is one line too. */
  readonly take = (event: ServerEvent): void => {
    if (event.type === "sent") return this.#takeSent(event.conn, event.bytes);
    this.#flushSent();
    switch (event.type) {
      case "received":
        this.messages++;
        if (this.isSecret?.(event.conn)) return;
        return this.#log.line(`data received conn=${event.conn.id} bytes=${event.bytes}`);
      case "listening":
        return this.#log.info("listening", addressFields(event));
      case "connected":
        return this.#connected(event.conn);
      case "disconnected":
        return this.#disconnected(event);
      case "requested": {
        const { conn: { id, peer }, requests } = event;
        return this.#log.info("pages requested", { conn: id, peer, requests });
      }
      case "refused":
        return this.#log.warn("client refused", { peer: event.peer, reason: event.reason });
      case "accept_failed":
        return this.#log.error("accept failed", { error: String(event.error) });
      case "paused":
      case "stopped":
        return this.#log.info(event.type);
    }
  };

  #takeSent(conn: ConnInfo, bytes: number): void {
    this.messages++;
    if (this.#sentTo !== conn) {
      if (this.isSecret?.(conn)) return;
      this.#sentTo = conn;
      this.#sentCount = 0;
    }
    if (this.#sent.length === 0) queueMicrotask(this.#flushSent);
    const same = this.#sent[this.#sentCount++];
    if (same?.bytes === bytes) return void same.conns++;
    // The members of a room are sent the same messages. This connection is not.
    if (same) {
      this.#flushSent();
      this.#sentTo = conn;
      this.#sentCount = 1;
    }
    this.#sent.push({ id: conn.id, bytes, conns: 1 });
  }

  readonly #flushSent = (): void => {
    const sent = this.#sent;
    if (sent.length > 0) this.#sent = [];
    this.#sentTo = undefined;
    for (const { id, bytes, conns } of sent) {
      this.#log.line(`data sent ${conns === 1 ? `conn=${id}` : `conns=${conns}`} bytes=${bytes}`);
    }
  };

  #connected({ id, peer, protocol }: ConnInfo): void {
    const how = protocol === "websocket" ? { protocol } : {};
    this.#log.info("client connected", { conn: id, peer, ...how });
  }

  #disconnected(
    { conn: { id, peer }, reason, error }: ServerEvent & { type: "disconnected" },
  ): void {
    const fields = { conn: id, peer, reason };
    if (reason !== "failed") return this.#log.info("client disconnected", fields);
    // The handler's own error: only then the stack helps, and no message of a peer is in it.
    this.#log.error("client disconnected", { ...fields, error: stackOf(error) });
  }
}

function addressFields(
  event: ServerEvent & { type: "listening" },
): Record<string, string | number> {
  const { hostname, port, requestedPort } = event;
  const moved = requestedPort !== 0 && requestedPort !== port;
  return { host: hostname, port, ...(moved && { busy: requestedPort }) };
}
