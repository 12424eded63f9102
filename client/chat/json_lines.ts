/**
 * Messages as lines of JSON, for bots.
 *
 * @module
 */

import { parseClientMessage, type ServerMessage } from "../../lib/chat/protocol.ts";
import type { CommandTarget } from "./chat_commands.ts";

/**
 * Does what a bot's line says. A text without a `ref` gets one; hello and login are not for the bot to say, because
 * the client says them itself.
 */
export function runBotLine(line: string, target: CommandTarget): void {
  if (line.trim() === "") return;
  const parsed = parseClientMessage(withRef(line));
  if ("problem" in parsed) return target.refuse(`Not sent: ${parsed.problem}`);
  const { message } = parsed;
  switch (message.type) {
    case "say":
    case "tell":
      return target.say(message.text, message);
    case "logout":
      return target.leave({ logout: true });
    case "hello":
    case "login":
    case "register":
      return target.refuse(`Not sent: the client says ${message.type} itself`);
    default:
      return target.request(message);
  }
}

function withRef(line: string): string {
  try {
    const value = JSON.parse(line);
    const isText = value?.type === "say" || value?.type === "tell";
    if (!isText || value.ref !== undefined) return line;
    return JSON.stringify({ ...value, ref: crypto.randomUUID() });
  } catch {
    // Not JSON: the line is read again by who says what is wrong with it.
    return line;
  }
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
