/**
 * The messages of requests and responses, as `PROTOCOL.md` describes them.
 *
 * @module
 */

import { checkObject } from "../base/checks.ts";

/** Why a request has no answer: a code for the program, and a message for people. */
export interface Failure {
  /**
   * `bad_request`: the request was refused as invalid. `failed`: the handler threw. Others are the application's.
   */
  code: string;
  /** What happened. */
  message: string;
}

/**
 * What a handler returns, and a request gives: a body, or a failure. A failure is a value, and no exception, because the
 * connection lives on and the program decides what it means.
 */
export type Result<T> = { body: T; error?: undefined } | { body?: undefined; error: Failure };

/** A request as it is sent. */
export interface Request {
  /** Counts the requests of a connection, from 1. */
  id: number;
  /** What is asked. */
  body?: unknown;
}

/** Tells the server that the client has given up a request. */
export interface Cancellation {
  /** The id of that request. */
  cancel: number;
}

/** A response as it is sent. The `id` is that of the request, or `null` if that had none. */
export type Response = { id: number | null } & Result<unknown>;

/**
 * Checks what a handler has returned: a client could not read another answer.
 *
 * @throws {TypeError} If it is not a result.
 */
export function checkResult(result: unknown): void {
  checkObject("answer", "what the handler returned", result);
  const { error } = result as Record<string, unknown>;
  if (!error && !("body" in (result as object))) {
    throw new TypeError("Cannot answer: the handler returned no body and no error. Give one");
  }
  if (!error) return;
  checkObject("answer", "error", error);
  if (isFailure(error)) return;
  throw new TypeError("Cannot answer: the error has no code and message. Give two strings");
}

/** Reads a request or the end of one, or throws what is wrong with it. */
export function parseRequest(value: unknown): Request | Cancellation {
  const { id, body, cancel } = parseObject(value);
  if (id === undefined && isId(cancel)) return { cancel };
  if (!isId(id)) throw new TypeError("it has no id, which is a whole number from 1");
  return { id, body };
}

/** Reads a response, or throws what is wrong with it. */
export function parseResponse(value: unknown): Response {
  const { id, body, error } = parseObject(value);
  if (id !== null && !isId(id)) throw new TypeError("it is not a response: it has no id");
  if (error === undefined) return { id, body };
  const failure = parseObject(error);
  if (!isFailure(failure)) {
    throw new TypeError("it is not a response: its error has no code and message");
  }
  return { id, error: { code: failure.code, message: failure.message } };
}

function isFailure(error: object): error is Failure {
  const { code, message } = error as Record<string, unknown>;
  return typeof code === "string" && typeof message === "string";
}

function parseObject(value: unknown): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new TypeError("it is not an object");
  }
  return value as Record<string, unknown>;
}

function isId(id: unknown): id is number {
  return Number.isSafeInteger(id) && (id as number) >= 1;
}
