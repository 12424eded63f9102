/**
 * Exercise 1.8: names, passwords, and tokens that let a client in again.
 *
 * @module
 */
import { join } from "node:path";
import { ACCOUNTS_SCHEMA, AccountStore, type Refusal } from "../lib/account_store.ts";
import type { ConnInfo, Handler } from "../lib/conversation.ts";
import { openDatabase } from "../lib/database.ts";
import type { FramedConn } from "../lib/framed_conn.ts";
import { type ClientMessage, PROTOCOL_VERSION } from "../lib/protocol.ts";
import { SESSIONS_SCHEMA, SessionStore } from "../lib/session_store.ts";
import { AuthDesk, type Session } from "./auth_desk.ts";
import type { ServerConfig } from "./config.ts";
import { goodbyeMessage, receiveMessage, reply, replyError } from "./messages.ts";
import type { Service } from "./service.ts";

/** How long a client may take to log in, in milliseconds. */
export const LOGIN_MS = 10_000;
/** The longest message before login, in bytes. */
export const LOGIN_MAX_BODY_BYTES: number = 4 * 1024;
/** The longest message after login, in bytes. */
export const MAX_BODY_BYTES: number = 16 * 1024;

/** What {@linkcode logIn} needs. */
export interface LogInOptions {
  /** Who may come in. */
  desk: AuthDesk;
  /** What the server calls itself in its `hello`. */
  server: string;
  /** The newest message's id, for the `welcome`. */
  lastId?(): number;
  /**
   * How long the client may take, in milliseconds.
   *
   * @default {10000}
   */
  loginMs?: number;
}

/** A client's `hello`. */
export type Hello = ClientMessage & { type: "hello" };

/** A session, and what the client's `hello` asked for. */
export interface LogIn {
  /** Who it is. */
  session: Session;
  /** What it wants to see. */
  hello: Hello;
}

/**
 * Lets a client in by its token, its password, or a new account, and welcomes it.
 *
 * Gives `null` when the client left, or took too long and was told so. A client that gives a wrong password may try
 * again.
 */
export async function logIn(
  conn: FramedConn,
  info: ConnInfo,
  options: LogInOptions,
): Promise<LogIn | null> {
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), options.loginMs ?? LOGIN_MS);
  conn.maxBodyBytes = LOGIN_MAX_BODY_BYTES;
  try {
    return await takeLogIn(conn, info, options, deadline.signal);
  } catch (error) {
    if (!deadline.signal.aborted || error !== deadline.signal.reason) throw error;
    await reply(conn, { type: "bye", reason: "idle" });
    return null;
  } finally {
    clearTimeout(timer);
    conn.maxBodyBytes = MAX_BODY_BYTES;
  }
}

async function takeLogIn(
  conn: FramedConn,
  info: ConnInfo,
  options: LogInOptions,
  signal: AbortSignal,
): Promise<LogIn | null> {
  let hello: Hello | undefined;
  for (;;) {
    const message = await receiveMessage(conn, { signal });
    if (message === null) return null;
    if (message.type === "hello") hello = await takeHello(conn, message, options);
    if (!hello) {
      if (message.type !== "hello") await replyError(conn, "bad_message", "Say hello first");
      continue;
    }
    const outcome = await authenticate(message, info, options.desk);
    if (outcome === undefined) continue;
    if ("code" in outcome) await replyError(conn, outcome.code, outcome.message, outcome);
    else return await welcome(conn, outcome, hello, options);
  }
}

async function takeHello(
  conn: FramedConn,
  hello: Hello,
  { server }: LogInOptions,
): Promise<Hello | undefined> {
  await reply(conn, { type: "hello", version: PROTOCOL_VERSION, server });
  if (hello.version === PROTOCOL_VERSION) return hello;
  await replyError(conn, "bad_message", `This server speaks version ${PROTOCOL_VERSION}`);
  return undefined;
}

/** A session, or why there is none; `undefined` for a `hello` without a token, which asks for neither. */
async function authenticate(
  message: ClientMessage,
  { address }: ConnInfo,
  desk: AuthDesk,
): Promise<Session | Refusal | Unauthorized | undefined> {
  switch (message.type) {
    case "hello":
      if (message.token === undefined) return undefined;
      return desk.resume(message.token) ?? unauthorized("The token is not valid any more: log in");
    case "register":
      return await desk.register(message.name, message.password);
    case "login":
      return await desk.logIn(message.name, message.password, address);
    default:
      return unauthorized("Log in or register first");
  }
}

interface Unauthorized {
  code: "unauthorized";
  message: string;
  retryAfterMs?: number;
}

function unauthorized(message: string): Unauthorized {
  return { code: "unauthorized", message };
}

async function welcome(
  conn: FramedConn,
  session: Session,
  hello: Hello,
  { lastId }: LogInOptions,
): Promise<LogIn> {
  const { name, token, expiresAt: expires } = session;
  await reply(conn, { type: "welcome", name, token, expires, last: lastId?.() ?? 0 });
  return { session, hello };
}

/** What {@linkcode converse} needs. */
export interface ConverseOptions {
  /** Where the session is ended. */
  desk: AuthDesk;
  /** Who talks. */
  session: Session;
  /** Answers what is not about the session itself. */
  answer(message: ClientMessage): Promise<void>;
}

/**
 * Talks with who has logged in. Gives `true` when the session was revoked, so that the client has to log in again,
 * and `false` when the conversation is over.
 */
export async function converse(conn: FramedConn, options: ConverseOptions): Promise<boolean> {
  const { desk, session } = options;
  for (;;) {
    const message = await receiveMessage(conn);
    if (message === null) return false;
    if (session.revoked) {
      const ref = "ref" in message ? message.ref : undefined;
      await replyError(conn, "unauthorized", "Your session was ended: log in again", { ref });
      return true;
    }
    switch (message.type) {
      case "logout":
        desk.logOut(session);
        await reply(conn, { type: "bye", reason: "logged_out" });
        return false;
      case "whoami":
        await reply(conn, { type: "you", name: session.name });
        break;
      case "ping":
        await reply(conn, { type: "pong" });
        break;
      case "hello":
      case "login":
      case "register":
        await replyError(conn, "bad_message", "You are logged in already");
        break;
      default:
        await options.answer(message);
    }
  }
}

/** Makes the handler of the authentication server: it lets clients in, and tells them who they are. */
export function authenticationHandler(options: LogInOptions, names: ConnNames): Handler {
  const { desk, server } = options;
  return async (conn, info) => {
    for (;;) {
      const entry = await logIn(conn, info, options);
      if (!entry) return;
      const { session } = entry;
      const answer = () => replyError(conn, "bad_message", `The ${server} server has no chat`);
      try {
        names.set(info, session.name);
        if (!await converse(conn, { desk, session, answer })) return;
      } finally {
        names.delete(info);
        desk.leave(session);
      }
    }
  };
}

/** The names of those who have logged in, by connection. */
export type ConnNames = Map<ConnInfo, string>;

/** Opens the authentication server, which keeps `auth.db`. */
export function openAuthentication(config: ServerConfig): Service {
  const database = openDatabase(join(config.dataDir, "auth.db"), {
    migrations: [ACCOUNTS_SCHEMA, SESSIONS_SCHEMA],
  });
  const desk = new AuthDesk(new AccountStore(database), new SessionStore(database));
  const names: ConnNames = new Map();
  return {
    handler: authenticationHandler({ desk, server: "auth" }, names),
    options: { goodbye: goodbyeMessage, maxBodyBytes: MAX_BODY_BYTES },
    nameOf: (conn) => names.get(conn),
    clearUsers: () => desk.clear(),
    close: () => database.close(),
  };
}
