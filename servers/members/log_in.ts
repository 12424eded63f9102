/**
 * How a client becomes somebody: by a token, a password, or a new account.
 *
 * @module
 */
import { Admission } from "../../lib/server/admission.ts";
import type { ConnInfo } from "../../lib/server/server_events.ts";
import type { FramedConn } from "../../lib/conn/framed_conn.ts";
import {
  type ClientMessage,
  MAX_CLIENT_BODY_BYTES,
  PROTOCOL_VERSION,
} from "../../lib/chat/protocol.ts";
import { TokenBucket, type TokenBucketOptions } from "../../lib/base/token_bucket.ts";
import type { Session } from "./auth_desk.ts";
import { type CredentialOptions, isCredential, tryToAdmit, unauthorized } from "./credential.ts";
import { goodbyeMessage, receiveMessage, reply, replyError } from "./messages.ts";

/** How long a client may take to log in, in milliseconds. */
const LOGIN_MS = 10_000;
/** The longest message before login, in bytes. */
export const LOGIN_MAX_BODY_BYTES: number = 4 * 1024;
// Enough to mistype a password, and not worth a flood.
const LOGIN_PACE: Readonly<TokenBucketOptions> = { burst: 10, perSecond: 2 };

/** What {@linkcode logIn} needs. */
export interface LogInOptions extends CredentialOptions {
  /** What the server calls itself in its `hello`. */
  server: string;
  /**
   * How long the client may take, in milliseconds.
   *
   * @default {10000}
   */
  loginMs?: number | undefined;
  /** Counts who has not logged in yet, by address; who finds no place is told to come back. */
  strangers?: Admission | undefined;
  /**
   * How fast the client is read until it is in.
   *
   * @default {{ burst: 10, perSecond: 2 }}
   */
  loginPace?: TokenBucketOptions | undefined;
}

/** What a client says first. */
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
 * Gives `null` when the client left, or when it took too long or was one stranger too many, and was told so. A client
 * that gives a wrong password may try again. Whoever calls this gives the session back to the desk's `leave`.
 */
export async function logIn(
  conn: FramedConn,
  info: ConnInfo,
  options: LogInOptions,
): Promise<LogIn | null> {
  const { strangers } = options;
  if (strangers?.enter(info.address)) {
    await conn.send(goodbyeMessage("crowded"));
    return null;
  }
  try {
    return await logInInTime(conn, info, options);
  } finally {
    strangers?.leave(info.address);
  }
}

/** Half of an address's connections may be of strangers, so that these cannot keep out who comes back to stay. */
export function countStrangers({ maxPerAddress }: { maxPerAddress: number }): Admission {
  return new Admission({ maxConnections: 0, maxPerAddress: Math.ceil(maxPerAddress / 2) });
}

async function logInInTime(
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
    conn.maxBodyBytes = MAX_CLIENT_BODY_BYTES;
  }
}

async function takeLogIn(
  conn: FramedConn,
  info: ConnInfo,
  options: LogInOptions,
  signal: AbortSignal,
): Promise<LogIn | null> {
  const pace = new TokenBucket(options.loginPace ?? LOGIN_PACE);
  let hello: Hello | undefined;
  for (;;) {
    const message = await receiveMessage(conn, pace, { signal });
    if (message === null) return null;
    if (message.type === "hello") hello = await takeHello(conn, message, options);
    if (!hello) {
      if (message.type !== "hello") await replyError(conn, "bad_message", "Say hello first");
      continue;
    }
    const session = await begin(conn, message, info, options);
    if (session) return { session, hello };
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

/** Begins a session and welcomes the client, or tells it why not. */
async function begin(
  conn: FramedConn,
  message: ClientMessage,
  info: ConnInfo,
  options: LogInOptions,
): Promise<Session | undefined> {
  // A hello without a token asks for nothing yet.
  if (message.type === "hello" && message.token === undefined) return undefined;
  const outcome = isCredential(message)
    ? await tryToAdmit(message, info, options)
    : unauthorized("Log in or register first");
  if ("code" in outcome) {
    await replyError(conn, outcome.code, outcome.message, outcome);
    return undefined;
  }
  const { session, last } = outcome;
  const { name, token, expiresAt: expires } = session;
  try {
    await reply(conn, { type: "welcome", name, token, expires, last });
  } catch (error) {
    // Gone meanwhile: the caller, who would give the session back, never gets it.
    options.desk.leave(session);
    throw error;
  }
  return session;
}
