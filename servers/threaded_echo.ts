/**
 * Exercise 2.1: the echo server with a thread for each client, in which the whole conversation happens.
 *
 * @module
 */
import type { LogFile } from "../lib/log/log_file.ts";
import type { ServerConfig } from "./control/config.ts";
import type { Service } from "./service.ts";
import { type ThreadEvent, Threads } from "./threads/threads.ts";

// The same handler as that of the echo server: it does not know in which thread it runs.
const ECHO = { module: import.meta.resolve("./echo.ts"), name: "echo" };

/** Opens the threaded echo server. */
export function openThreadedEcho({ maxThreads }: ServerConfig, log: LogFile): Service {
  const onThread = (event: ThreadEvent) => logThread(log, event);
  const threads = new Threads({ handler: ECHO, maxThreads, onThread });
  return {
    handler: threads.handler,
    detailOf: (conn) => `thread ${threads.threadOf(conn) ?? "-"}`,
    close: () => threads[Symbol.asyncDispose](),
  };
}

function logThread(log: LogFile, event: ThreadEvent): void {
  const conn = event.conn.id;
  if (event.type === "refused") return log.warn("thread refused", { conn });
  const fields = { conn, thread: event.thread };
  if (event.type === "stuck") log.error("thread does not stop", fields);
  else log.info(`thread ${event.type}`, fields);
}
