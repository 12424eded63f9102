/**
 * The flags of the chat client: those of the line client, and its own.
 *
 * @module
 */

import { parseName } from "../../lib/chat/name.ts";
import {
  checked,
  type ClientFlags,
  OPTIONS,
  orFlagError,
  readFlags,
  SWITCH,
  WITH_VALUE,
} from "../shared/flags.ts";

/** What the user gave; what is missing is asked for, or has a default. */
export interface ChatFlags extends ClientFlags {
  /** Who logs in. */
  name?: string;
  /** A file whose first line is the password. */
  passwordFile?: string;
  /** Whether to make an account. */
  register: boolean;
  /** Whether lines are JSON, for bots. */
  json: boolean;
  /** How many earlier messages to show. */
  history?: number;
  /** The file that keeps tokens; nothing is kept when missing. */
  session?: string;
}

/** What `--help` prints. */
export const CHAT_USAGE = `Takes part in a chat, or logs in at an authentication server.

Usage: client/chat.ts [flags]

  --host HOST           the server's name or address (127.0.0.1)
  --port PORT           the server's port (9090)
  --name NAME           who you are
  --register            make an account of that name
  --password-file FILE  take the password from the first line of FILE; needs --allow-read=FILE
  --tls                 encrypt the connection
  --ca FILE             trust the certificates in FILE as well, in PEM; needs --allow-read=FILE
  --history N           show N earlier messages at the start (50)
  --session FILE        keep logins in FILE, where it may be written (data/logins.json)
  --no-session          keep nothing: the next run needs the password
  --json                JSON for bots: see below
  --help                show this

At a terminal, what is missing is asked for, and /help shows the commands. In a pipe each line of
standard input is a message or a command, blank ones aside, and messages come out as lines of standard
output; what the client says about itself goes to standard error. The end of the input ends it when
everything is said; a server that is not there is then waited for 10 s, or not at all with nothing to
say. No more than 64 lines are read ahead. Who logs in is then --name with a kept login or
--password-file; without --name, the last login kept.

With --json each message of the server is a line of output, each line of input a message to it, such as
{"type":"say","text":"hello"}. A ref is added where none is. Connecting, logging in and sending again are
done for you.

The exit code is 1 when something could not be sent, the login failed or the operator ended it, 2 when
the flags are wrong, and 130 after Ctrl-C.`;

const CHAT_OPTIONS = {
  ...OPTIONS,
  name: WITH_VALUE,
  "password-file": WITH_VALUE,
  register: SWITCH,
  json: SWITCH,
  history: WITH_VALUE,
  session: WITH_VALUE,
  "no-session": SWITCH,
} as const;

/**
 * Reads the flags.
 *
 * @throws {FlagError} If one is unknown, or has no value that can be right.
 */
export function parseChatFlags(args: string[]): ChatFlags {
  return orFlagError(() => {
    const values = readFlags(args, CHAT_OPTIONS);
    const { name, "password-file": passwordFile, history, register, json } = values;
    const { session = "data/logins.json", "no-session": none } = values;
    return {
      ...checked(values),
      ...(name !== undefined && { name: validName(name) }),
      ...(history !== undefined && { history: parseCount(history) }),
      ...(passwordFile !== undefined && { passwordFile }),
      ...(!none && { session }),
      register,
      json,
    };
  });
}

function validName(text: string): string {
  const parsed = parseName(text);
  if ("reason" in parsed) throw new TypeError(`Cannot use --name: ${parsed.reason}`);
  return parsed.name;
}

function parseCount(text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new RangeError("Cannot use --history: give a whole number from 0 up");
}
