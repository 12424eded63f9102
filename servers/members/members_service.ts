/**
 * What the authentication server and the chat have in common.
 *
 * @module
 */
import { join } from "node:path";
import type { TokenBucketOptions } from "../../lib/base/token_bucket.ts";
import { MAX_CLIENT_BODY_BYTES } from "../../lib/chat/protocol.ts";
import type { LogFile } from "../../lib/log/log_file.ts";
import { type Database, type Migration, openDatabase } from "../../lib/store/database.ts";
import type { ServerConfig } from "../control/config.ts";
import { TroubleLog } from "../logging/trouble_log.ts";
import type { Service } from "../service.ts";
import { attemptLog } from "./attempt_log.ts";
import { LOGIN_MS } from "./login.ts";
import { Members } from "./members.ts";
import { goodbyeMessage } from "./messages.ts";

/** A server with members: what it keeps, and all of its service but the handler. */
export interface MembersService {
  /** `NAME.db`, which the service closes. */
  database: Database;
  /** The members in it. */
  members: Members;
  /** Takes errors of the database. */
  onStorageError(error: unknown): void;
  /** What the server and its console need. */
  service: Omit<Service, "handler">;
}

/** Opens `NAME.db`, and the members in it; `pace` is how fast each of their connections is read. */
export function openMembers(
  config: ServerConfig,
  log: LogFile,
  migrations: Migration[],
  pace?: TokenBucketOptions,
): MembersService {
  const { name, dataDir, durable, maxPerAddress } = config;
  const trouble = new TroubleLog(log, "storage failed");
  const { tell: onStorageError, end: onCommitted } = trouble;
  const path = join(dataDir, `${name}.db`);
  const database = openDatabase(path, { migrations, durable, exclusive: true, onCommitted });
  const members = new Members(database, {
    server: name,
    maxPerAddress,
    pace,
    onAttempt: attemptLog(log),
    onStorageError,
  });
  const service: MembersService["service"] = {
    silence: members.unauthenticated.silence(LOGIN_MS),
    options: { goodbye: goodbyeMessage, maxBodyBytes: MAX_CLIENT_BODY_BYTES },
    nameOf: (conn) => members.nameOf(conn),
    isSecret: (conn) => members.nameOf(conn) === undefined,
    onKick: (conn) => members.kick(conn),
    clearUsers: () => members.clear(),
    trouble: () => trouble.lasting,
    close: () => database.close(),
  };
  return { database, members, onStorageError, service };
}
