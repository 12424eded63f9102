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

/** What a client may say. */
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
  /** To whom alone it was said, if it is private. */
  to?: string;
  /** It was said before and is repeated now. */
  replay?: true;
}

/** What a server may say. */
export type ServerMessage =
  | { type: "hello"; version: number; server: string; data?: string }
  | { type: "welcome"; name: string; token: string; expires: number; last: number }
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

type Check = (value: unknown) => boolean;
type Fields = Record<string, Check>;
const isText: Check = (value) => typeof value === "string" && value.isWellFormed();
const isRef: Check = (value) => isText(value) && value !== "" && [...value as string].length <= 64;
const isCount: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;

/** What each field must be; a name that ends in `?` may be missing. */
const FIELDS: Record<ClientMessage["type"], Fields> = {
  hello: { version: isCount, "token?": isText, "since?": isCount, "history?": isCount },
  register: { name: isText, password: isText },
  login: { name: isText, password: isText },
  say: { ref: isRef, text: isText },
  tell: { ref: isRef, to: isText, text: isText },
  history: { "before?": isCount, "limit?": isCount },
  logout: {},
  who: {},
  whoami: {},
  ping: {},
};

const isTexts: Check = (value) => Array.isArray(value) && value.every(isText);
const SERVER_FIELDS: Record<ServerMessage["type"], Fields> = {
  hello: { version: isCount, server: isText, "data?": isText },
  welcome: { name: isText, token: isText, expires: isCount, last: isCount },
  message: { id: isCount, at: isCount, from: isText, text: isText, "to?": isText },
  said: { ref: isText, id: isCount },
  joined: { name: isText, at: isCount },
  left: { name: isText, at: isCount },
  users: { names: isTexts },
  you: { name: isText },
  pong: {},
  notice: { text: isText },
  error: { code: isText, message: isText, "ref?": isText, "retryAfterMs?": isCount },
  bye: { reason: isText, "retryAfterMs?": isCount },
};

const EXPECTED = new Map<Check, string>([
  [isText, "a string of whole characters"],
  [isRef, "a string of 1 to 64 whole characters"],
  [isCount, "a whole number from 0 up"],
]);

/**
 * Reads a client's message. Only the fields that belong to it are taken over; others are ignored, so that a newer
 * client can still talk to this server.
 */
export function parseClientMessage(text: string): ParsedMessage {
  const value = parseObject(text);
  if (!value) return { problem: "Send one JSON object in a frame" };
  const ref = isRef(value["ref"]) ? { ref: value["ref"] as string } : {};
  const { type } = value;
  if (typeof type !== "string" || !Object.hasOwn(FIELDS, type)) {
    return { problem: `Send a type out of ${Object.keys(FIELDS).join(", ")}`, ...ref };
  }
  const message: Record<string, unknown> = { type };
  for (const [field, check] of Object.entries(FIELDS[type as ClientMessage["type"]])) {
    const name = field.replace("?", "");
    const given = Object.hasOwn(value, name) ? value[name] : undefined;
    if (given === undefined && field !== name) continue;
    if (!check(given)) return { problem: `Send ${name} as ${EXPECTED.get(check)}`, ...ref };
    message[name] = given;
  }
  return { message: message as ClientMessage };
}

/**
 * Reads a server's message; `undefined` when it is none, or none that this version knows: a newer server may say more.
 * The object is as it came, fields that do not belong to it included.
 */
export function parseServerMessage(text: string): ServerMessage | undefined {
  const value = parseObject(text);
  const type = value?.["type"];
  if (typeof type !== "string" || !Object.hasOwn(SERVER_FIELDS, type)) return undefined;
  const fields = Object.entries(SERVER_FIELDS[type as ServerMessage["type"]]);
  const isWhole = fields.every(([field, check]) => {
    const given = value![field.replace("?", "")];
    return given === undefined ? field.endsWith("?") : check(given);
  });
  return isWhole ? value as unknown as ServerMessage : undefined;
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
