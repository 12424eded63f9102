/**
 * Logs attempts to log in.
 *
 * @module
 */
import type { ConnInfo } from "../../lib/server/server_events.ts";
import type { LogFile } from "../../lib/log/log_file.ts";
import type { ErrorCode } from "../../lib/chat/protocol.ts";

/** An attempt to log in, and its result. */
export interface Attempt {
  /** What the client sent: `hello` with a token, or a name and a password. */
  type: "hello" | "login" | "register";
  /** Who is logged in, under the name as it was registered. */
  name?: string | undefined;
  /** Why it was refused. The name that was tried is not here: people type their passwords there. */
  code?: ErrorCode | undefined;
}

const BY = { hello: "token", login: "password", register: "registration" } as const;

/**
 * Makes a function that logs attempts, each as one line; where a password was hashed for it, in the audit log too, which
 * grows no faster than passwords can be hashed. Attempts that are refused untried (`throttled`, `unavailable`) are logged
 * once a connection, until another is tried: an impatient client must not fill the log.
 */
export function attemptLog(
  log: Pick<LogFile, "info" | "warn" | "audit">,
): (conn: ConnInfo, attempt: Attempt) => void {
  const refusedUntried = new WeakSet<ConnInfo>();
  return (conn, { type, name, code }) => {
    const by = BY[type];
    if (name !== undefined) {
      const fields = { conn: conn.id, name, by };
      if (type === "hello") return log.info("client logged in", fields);
      return log.audit("info", "client logged in", fields);
    }
    const isTried = code !== "throttled" && code !== "unavailable";
    if (!isTried && refusedUntried.has(conn)) return;
    if (isTried) refusedUntried.delete(conn);
    else refusedUntried.add(conn);
    const fields = { conn: conn.id, peer: conn.peer, by, code };
    if (code === "bad_credentials") log.audit("warn", "login refused", fields);
    else log.warn("login refused", fields);
  };
}
