/**
 * What the main thread and the listening thread say to each other.
 *
 * @module
 */
import type { ServerConfig } from "./config.ts";

/** From the main thread to the listening thread. */
export type ControlMessage =
  | { type: "start"; config: ServerConfig; lock: string }
  | { type: "command"; id: number; command: string; argument: string };

/** From the listening thread to the main thread. */
export type ControlReply =
  | { type: "listening"; hostname: string; port: number }
  /** It holds the lock it was given, by which its end can be noticed. */
  | { type: "holding" }
  | { type: "answer"; id: number; text: string }
  | { type: "failed"; message: string };
