/**
 * What a receive of the line client brought.
 *
 * @module
 */

import { parseServerMessage } from "../../lib/chat/protocol.ts";
import type { FramedConn } from "../../lib/conn/framed_conn.ts";
import { actionAfter, type ClientAction, GOODBYE_PREFIX } from "../../lib/server/end_reason.ts";

/** The end of a connection. */
export interface End {
  /** Distinguishes it from a message. */
  kind: "end";
  /** Why it ended. */
  reason: string;
  /** What broke it. */
  error?: unknown;
  /** Whether the server finished between two messages, without a goodbye. */
  inOrder: boolean;
  /** What the server said last. */
  goodbye?: string;
  /** What this client should do after it. */
  action?: ClientAction;
  /** Whether the line that was to be answered may be the cause. */
  blamesLine: boolean;
}

/** A message, without its text if that is not UTF-8; or the end. */
export type Received = { kind: "reply"; text: string | undefined } | End;

/**
 * Receives the next message, or the end.
 *
 * @param conn The connection.
 * @param oldest Gives the line that is answered next: its echo is no goodbye, whatever it says.
 */
export async function receiveNext(
  conn: Pick<FramedConn, "receive">,
  oldest: () => string | undefined,
): Promise<Received> {
  try {
    const text = await conn.receive();
    if (text === null) return end("the server closed the connection", { inOrder: true });
    if (!text.startsWith(GOODBYE_PREFIX) || text === oldest()) return { kind: "reply", text };
    const action = actionAfter(text);
    const blamesLine = action === "check" || action === "stop";
    return end("the server said goodbye", { goodbye: text, action, blamesLine });
  } catch (error) {
    return isNoText(error) ? { kind: "reply", text: undefined } : end("", { error });
  }
}

/** Whether a message is one of a chat or authentication server. */
export function isFromChat(text: string | undefined): boolean {
  return text?.startsWith("{") === true && parseServerMessage(text) !== undefined;
}

function end(reason: string, details: Partial<End> = {}): End {
  return { kind: "end", reason, inOrder: false, blamesLine: true, ...details };
}

/** Tells a message that is not UTF-8, after which the next can be received, from invalid data of TLS. */
function isNoText(error: unknown): boolean {
  return error instanceof Deno.errors.InvalidData && error.cause instanceof TypeError;
}
