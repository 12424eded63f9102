/**
 * The JSON messages of the authentication and chat servers, version 1: what both ends agree on.
 *
 * Each message is one JSON object in one frame, `type` first. `PROTOCOL.md` explains each with a transcript.
 *
 * @module
 */

/** The version of the protocol that this code speaks. */
export const PROTOCOL_VERSION = 1;

/** The longest message that a client may send once it is logged in, in bytes. One that is longer ends the connection. */
export const MAX_CLIENT_BODY_BYTES: number = 16 * 1024;

/** The most users that a server names in one answer, so that it fits into a frame however many there are. */
export const MAX_USERS = 1000;

/** What a client may send. */
export type ClientMessage =
  | { type: "hello"; version: number; token?: string; since?: number; history?: number }
  | { type: "register" | "login"; name: string; password: string }
  | { type: "say"; ref: string; text: string }
  | { type: "tell"; ref: string; to: string; text: string }
  | { type: "history"; before?: number; limit?: number }
  | { type: "logout" | "who" | "whoami" | "ping" };

/** Why a message was refused. The connection lives on. */
export type ErrorCode =
  | "bad_message"
  | "unauthorized"
  | "bad_credentials"
  | "name_taken"
  | "bad_name"
  | "weak_password"
  | "throttled"
  | "too_fast"
  | "too_long"
  | "no_such_user"
  | "unavailable";

/** Why a server ends the connection. */
export type ByeReason =
  | "shutdown"
  | "paused"
  | "kicked"
  | "too_slow"
  | "idle"
  | "protocol"
  | "logged_out"
  | "full";

/** One message of the chat; times are in milliseconds since 1970. */
export interface ChatMessage {
  /** Always `"message"`. */
  type: "message";
  /** Rises by one from message to message. */
  id: number;
  /** When the server stored it. */
  at: number;
  /** Who said it. */
  from: string;
  /** What was said. */
  text: string;
  /** The only receiver, if it is private. */
  to?: string;
  /** It was said before and is repeated now. */
  replay?: true;
}

/** What a server may send. */
export type ServerMessage =
  | { type: "hello"; version: number; server: string; data?: string }
  | { type: "welcome"; name: string; token: string; expires: number; last: number; text?: string }
  | ChatMessage
  | { type: "said"; ref: string; id: number }
  | { type: "joined" | "left"; name: string; at: number }
  | { type: "users"; names: string[]; more?: number }
  | { type: "you"; name: string }
  | { type: "pong" }
  | { type: "notice"; text: string }
  | { type: "error"; code: ErrorCode; message: string; ref?: string; retryAfterMs?: number }
  | { type: "bye"; reason: ByeReason; retryAfterMs?: number };

/** A client's message, or what is wrong with it. */
export type ParsedMessage = { message: ClientMessage } | { problem: string; ref?: string };

/** A kind of field: what it must be, in words and as a check, and how long it may be at most. */
interface Field {
  expected: string;
  check(value: unknown): boolean;
}
type Fields = Record<string, Field>;

/** A text of `min` to `max` UTF-16 units. The length is checked first: the cost of all later work grows with it. */
function text(max: number, min = 0): Field {
  return {
    expected: `a string of ${min ? `${min} to` : "at most"} ${max} whole characters`,
    check: (value) =>
      typeof value === "string" && value.length >= min && value.length <= max &&
      value.isWellFormed(),
  };
}

const count: Field = {
  expected: "a whole number from 0 up",
  check: (value) => Number.isSafeInteger(value) && (value as number) >= 0,
};

// A name has 32 characters after normalisation, a password 256: in other forms they may be longer.
const MAX_NAME_UNITS = 256;
const name = text(MAX_NAME_UNITS);
const password = text(1024);
// Nothing is longer than the frame it comes in. How long the text of a message may be has an error of its own.
const anyText = text(MAX_CLIENT_BODY_BYTES);
const ref: Field = {
  expected: "a string of 1 to 64 whole characters",
  check: (value) => text(128, 1).check(value) && [...value as string].length <= 64,
};

/** What each field must be; a name that ends in `?` may be missing. */
const CLIENT_FIELDS: Record<ClientMessage["type"], Fields> = {
  hello: { version: count, "token?": anyText, "since?": count, "history?": count },
  register: { name, password },
  login: { name, password },
  say: { ref, text: anyText },
  tell: { ref, to: name, text: anyText },
  history: { "before?": count, "limit?": count },
  logout: {},
  who: {},
  whoami: {},
  ping: {},
};

// More than this version's servers send.
const MAX_NAMES = 10 * MAX_USERS;
const names: Field = {
  expected: `at most ${MAX_NAMES} names`,
  check: (value) =>
    Array.isArray(value) && value.length <= MAX_NAMES && value.every((each) => name.check(each)),
};
const word = text(64);
const SERVER_FIELDS: Record<ServerMessage["type"], Fields> = {
  hello: { version: count, server: word, "data?": word },
  welcome: { name, token: text(256), expires: count, last: count, "text?": text(1024) },
  message: { id: count, at: count, from: name, text: anyText, "to?": name },
  said: { ref, id: count },
  joined: { name, at: count },
  left: { name, at: count },
  users: { names, "more?": count },
  you: { name },
  pong: {},
  notice: { text: anyText },
  error: { code: word, message: text(1024), "ref?": ref, "retryAfterMs?": count },
  bye: { reason: word, "retryAfterMs?": count },
};

/**
 * Reads a client's message. Only the fields that belong to it are taken over; others are ignored, so that a newer
 * client can still talk to this server.
 */
export function parseClientMessage(text: string): ParsedMessage {
  const value = parseObject(text);
  if (!value) return { problem: "Send one JSON object in a frame" };
  const details = ref.check(value["ref"]) ? { ref: value["ref"] as string } : {};
  const { type } = value;
  if (typeof type !== "string" || !Object.hasOwn(CLIENT_FIELDS, type)) {
    return { problem: `Send a type out of ${Object.keys(CLIENT_FIELDS).join(", ")}`, ...details };
  }
  const fields = CLIENT_FIELDS[type as ClientMessage["type"]];
  const wrong = wrongField(value, fields);
  if (wrong) {
    return { problem: `Send ${wrong.replace("?", "")} as ${fields[wrong]!.expected}`, ...details };
  }
  return { message: pick(type, value, fields) as ClientMessage };
}

/**
 * Reads a server's message; `undefined` when it is not one that this version knows: a newer server may send others. Each
 * of its fields has a limit. Fields that do not belong to it are left out.
 */
export function parseServerMessage(text: string): ServerMessage | undefined {
  const value = parseObject(text);
  const type = value?.["type"];
  if (typeof type !== "string" || !Object.hasOwn(SERVER_FIELDS, type)) return undefined;
  const fields = SERVER_FIELDS[type as ServerMessage["type"]];
  if (wrongField(value!, fields)) return undefined;
  const message = pick(type, value!, fields);
  return (value!["replay"] === true ? { ...message, replay: true } : message) as ServerMessage;
}

/** The first field that is missing or not what it must be. */
function wrongField(value: Record<string, unknown>, fields: Fields): string | undefined {
  return Object.entries(fields).find(([field, { check }]) => {
    const given = own(value, field);
    return given === undefined ? !field.endsWith("?") : !check(given);
  })?.[0];
}

function pick(type: string, value: Record<string, unknown>, fields: Fields): object {
  const given = Object.keys(fields).map((field) => [field.replace("?", ""), own(value, field)]);
  return { type, ...Object.fromEntries(given.filter(([, each]) => each !== undefined)) };
}

function own(value: Record<string, unknown>, field: string): unknown {
  const name = field.replace("?", "");
  return Object.hasOwn(value, name) ? value[name] : undefined;
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? value as Record<string, unknown> : undefined;
  } catch {
    // Not JSON: the caller tells the peer what to send instead.
    return undefined;
  }
}
