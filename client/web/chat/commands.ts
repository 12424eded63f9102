/**
 * What a line means: a message, or a command after a slash.
 *
 * @module
 */

import { texts } from "../shared/texts.ts";

/** What commands work on. */
export interface CommandTarget {
  /** Says something to everybody, or to one user; gives the reason if that can never be. */
  say(text: string, to?: string): string | undefined;
  /** Shows who is here. */
  showPeople(): void;
  /** Shows a line about the chat. */
  notice(text: string): void;
  /** Leaves. */
  logOut(): void;
}

/** Does what a line says; `to` is whom messages are for. Gives the reason if it cannot be done. */
export function runLine(line: string, to: string | undefined, target: CommandTarget) {
  if (!line.startsWith("/")) return target.say(line, to);
  if (line.startsWith("//")) return target.say(line.slice(1), to);
  const [, name = "", argument = ""] = /^\/(\S*)\s*(.*?)\s*$/s.exec(line)!;
  switch (name.toLowerCase()) {
    case "msg":
    case "tell":
      return tellOne(argument, target);
    case "who":
      return void target.showPeople();
    case "help":
      return void target.notice(texts.help);
    case "logout":
      return void target.logOut();
    default:
      return texts.noCommand(name);
  }
}

function tellOne(argument: string, target: CommandTarget): string | undefined {
  const [, receiver, text] = /^(\S+)\s+(.+)$/s.exec(argument) ?? [];
  if (receiver === undefined || text === undefined) return texts.usage("/msg NAME text");
  return target.say(text, receiver);
}
