/**
 * What the load benchmark measures, as data.
 *
 * @module
 */

/** What the clients do. */
export interface LoadCase {
  /** What it is called on the command line. */
  name: string;
  /** What it is called in a table. */
  title: string;
  /**
   * - `echo`: each connection has `window` messages on their way all the time.
   * - `churn`: connect, one echo, close.
   * - `fan`: one connection sends `window` messages, and continues when all connections have all of them.
   */
  kind: "echo" | "churn" | "fan";
  /** How many connections there are at once. */
  connections: number;
  /** How many messages are on their way at once. */
  window: number;
  /** The length of each message, in bytes. */
  bodyBytes: number;
}

/** What the load client is asked for. */
export interface LoadJob extends Omit<LoadCase, "name" | "title" | "kind"> {
  /** As in a case; `hold` opens connections, and leaves them open and idle until the next `hold`. */
  kind: LoadCase["kind"] | "hold";
  /** Where the server listens, on 127.0.0.1. */
  port: number;
  /** How long to measure, in seconds, after a third of that to warm up. */
  seconds: number;
}

/** What the load client has measured. */
export interface LoadResult {
  /** Messages received a second (for `churn`, connections). */
  rate: number;
  /** Half of the answers took at most so long, in milliseconds. */
  p50Ms: number;
  /** 99 of 100 answers took at most so long, in milliseconds. */
  p99Ms: number;
  /** How busy the load client was: 1 is one core. Near 1, it is the load client that was measured. */
  clientCpu: number;
}

/** The cases of the load benchmark. */
export const LOAD_CASES: readonly LoadCase[] = [
  echo("ping", "ping-pong, 64 connections, 128 B", 1, 128),
  echo("pipe16", "pipelined, 64 × 64, 16 B", 64, 16),
  echo("pipe1k", "pipelined, 64 × 64, 1 KiB", 64, 1024),
  echo("large", "ping-pong, 64 connections, 64 KiB", 1, 65_536),
  {
    name: "churn",
    title: "connect, one echo, close; 16 at once",
    kind: "churn",
    connections: 16,
    window: 1,
    bodyBytes: 16,
  },
  {
    name: "fan",
    title: "broadcast to 100, 128 B, 16 at once",
    kind: "fan",
    connections: 100,
    window: 16,
    bodyBytes: 128,
  },
];

function echo(name: string, title: string, window: number, bodyBytes: number): LoadCase {
  return { name, title, kind: "echo", connections: 64, window, bodyBytes };
}
