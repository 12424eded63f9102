/**
 * Who got in, and who did not, is a line in the log.
 *
 * @module
 */
import type { ConnInfo } from "../../lib/server/server_events.ts";
import type { LogFile } from "../../lib/log/log_file.ts";
import type { ErrorCode } from "../../lib/chat/protocol.ts";

/** An attempt to get in, and how it ended. */
export interface Attempt {
  /** What the client said: `hello` with a token, or a name and a password. */
  type: "hello" | "login" | "register";
  /** Who got in, under the name as it was registered. */
  name?: string;
  /** Why nobody did. The name that was tried is not here: people type their passwords there. */
  code?: ErrorCode;
}

const BY = { hello: "token", login: "password", register: "registration" } as const;

/**
 * Makes what logs attempts to get in, each as one line; where a password was hashed for it, in the audit log too, which
 * grows no faster than passwords can be hashed. Those that are turned away untried (`throttled`,
 * `unavailable`) are told once a connection, until another is tried: an impatient client must not bury the log.
 */
export function attemptLog(
  log: Pick<LogFile, "info" | "warn" | "audit">,
): (conn: ConnInfo, attempt: Attempt) => void {
  const turnedAway = new WeakSet<ConnInfo>();
  return (conn, { type, name, code }) => {
    const by = BY[type];
    if (name !== undefined) {
      const fields = { conn: conn.id, name, by };
      if (type === "hello") return log.info("client logged in", fields);
      return log.audit("info", "client logged in", fields);
    }
    const isTried = code !== "throttled" && code !== "unavailable";
    if (!isTried && turnedAway.has(conn)) return;
    if (isTried) turnedAway.delete(conn);
    else turnedAway.add(conn);
    const fields = { conn: conn.id, peer: conn.peer, by, code };
    if (code === "bad_credentials") log.audit("warn", "login refused", fields);
    else log.warn("login refused", fields);
  };
}
