/**
 * The flags of the chat client: those of every client, and its own.
 *
 * @module
 */

import { parseName } from "../../lib/chat/name.ts";
import type { Values } from "../shared/client_program.ts";
import { TARGET_FLAGS } from "../shared/target.ts";

/** Its flags. */
export const CHAT_FLAGS = {
  ...TARGET_FLAGS,
  name: { value: "NAME", parse: validName, help: "who you are" },
  register: { help: "make an account of that name" },
  "password-file": {
    value: "FILE",
    parse: String,
    help: "take the password from the first line of FILE",
  },
  history: { value: "N", parse: parseCount, help: "show N earlier messages at the start (50)" },
  session: { value: "FILE", parse: String, help: "keep logins in FILE (data/logins.json)" },
  "no-session": { help: "keep nothing: the next run needs the password" },
  json: { help: "JSON for bots: see below" },
} as const;

/** What the user gave; what is missing is asked for, or has a default. */
export type ChatFlags = Values<typeof CHAT_FLAGS>;

/** The paragraphs of `--help` below the flags. */
export const CHAT_NOTES = [
  "At a terminal, what is missing is asked for, and /help shows the commands. In a pipe each line of standard input is " +
  "a message or a command, blank ones aside, and messages come out as lines of standard output; what the client says " +
  "about itself goes to standard error. exit, or the end of the input, ends it when everything is sent; a server that " +
  "is not there is then waited for 10 s, or not at all with nothing to send. No more than 64 lines are read ahead. " +
  "The user is then --name with a kept login or --password-file; without --name, the last login kept.",
  "A login is kept with the server that it was got from, and is sent to no other. Where files may not be written, as " +
  "when it runs by URL with --allow-net alone, nothing is kept: add --allow-read=data --allow-write=data.",
  "With --json each message of the server is a line of output, each line of input a message to it, such as " +
  '{"type":"say","text":"hello"}. A ref is added where none is. Connecting, logging in and sending again are done for ' +
  "you.",
  "The task may read and write files in data/ only. For others use deno run, with --allow-read=FILE for --ca and " +
  "--password-file, and both --allow-read=FOLDER --allow-write=FOLDER for --session.",
  "The exit code is 1 when something could not be sent, the login failed or the operator ended it, 2 when the flags " +
  "are wrong, and 130 after Ctrl-C.",
];

function validName(text: string): string {
  const parsed = parseName(text);
  if ("reason" in parsed) throw new TypeError(`Cannot use --name: ${parsed.reason}`);
  return parsed.name;
}

function parseCount(text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new RangeError("Cannot use --history: give a whole number from 0 up");
}
