/**
 * Messages as lines of JSON, for bots.
 *
 * @module
 */

import { type ClientMessage, parseClientMessage, type ServerMessage } from "../lib/protocol.ts";
import type { ChatRequest } from "./chat_session.ts";
import type { OwnMessage } from "./unsaid.ts";

/** What a bot may ask for; the client logs in itself. */
export type BotMessage = ChatRequest | OwnMessage;

/** Reads a bot's line; `makeRef` makes the ref that it may leave out. Gives the reason if it cannot be used. */
export function parseBotLine(line: string, makeRef: () => string): BotMessage | string {
  const parsed = parseClientMessage(withRef(line, makeRef));
  if ("problem" in parsed) return parsed.problem;
  const { message } = parsed;
  return isBotMessage(message) ? message : `Leave ${message.type} out: the client logs in itself`;
}

function withRef(line: string, makeRef: () => string): string {
  try {
    const value = JSON.parse(line);
    const needsRef = value?.type === "say" || value?.type === "tell";
    return needsRef && value.ref === undefined
      ? JSON.stringify({ ...value, ref: makeRef() })
      : line;
  } catch {
    // Not JSON: the line is read again by who says what is wrong with it.
    return line;
  }
}

function isBotMessage(message: ClientMessage): message is BotMessage {
  return !["hello", "login", "register"].includes(message.type);
}

const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** Writes a message as one line of JSON without control characters, and without the token, which is a secret. */
export function botLine(message: ServerMessage): string {
  const shown = message.type === "welcome" ? { ...message, token: undefined } : message;
  return JSON.stringify(shown).replace(INVISIBLE, (char) =>
    Array.from(
      { length: char.length },
      (_, i) => `\\u${char.charCodeAt(i).toString(16).padStart(4, "0")}`,
    ).join(""));
}
