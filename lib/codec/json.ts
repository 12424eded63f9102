/**
 * Messages in JSON.
 *
 * @module
 */
import { checkFunctions } from "../base/checks.ts";
import { quiet } from "../base/within.ts";
import type { TextCodec } from "./codec.ts";

/** Returns a value as what it should be, or throws what is wrong with it. The parse function of a schema is one. */
export type Validate<T> = (value: unknown) => T;

/** Calls `validate`, which must not leave the answer to later: a promise that rejects would end the process. */
export function validated<T>(validate: Validate<T>, value: unknown): T {
  const result = validate(value);
  if (!(result instanceof Promise)) return result;
  quiet(result);
  throw new TypeError("validate returned a promise. Give a function that is not async");
}

/** Finds a key of an object in a text of JSON, however its letters are escaped. */
function keyPattern(name: string, value = ""): RegExp {
  const letters = Array.from(name, (letter) => {
    const hex = letter.charCodeAt(0).toString(16);
    return `(?:${letter}|\\\\u00(?:${hex}|${hex.toUpperCase()}))`;
  });
  return new RegExp(`"${letters.join("")}"\\s*:\\s*${value}`);
}

const PROTO = keyPattern("__proto__");
const CONSTRUCTOR = keyPattern("constructor", "\\{");
const PROTOTYPE = keyPattern("prototype");

/**
 * Makes the codec of JSON messages.
 *
 * Nothing that a peer sends is trusted: `validate` gets what `JSON.parse` made, and returns the value that the program
 * works with. A text that is not JSON is refused, and so is an object with a key `__proto__`, or with a `constructor`
 * that has a `prototype`: copied by a program, it would change other objects. How long a text may be is up to
 * `maxBodyBytes` of the connection.
 *
 * What is sent is not validated: its type says what it is.
 *
 * @example A server that adds numbers
 * ```ts
 * import { FramedConn, json, serve, TypedConn } from "@framed/tcp";
 * import { assertEquals } from "@std/assert";
 *
 * type Numbers = { numbers: number[] };
 * type Sum = { sum: number };
 *
 * function parseNumbers(value: unknown): Numbers {
 *   const { numbers } = (value ?? {}) as Record<string, unknown>;
 *   if (!Array.isArray(numbers) || !numbers.every((each) => typeof each === "number")) {
 *     throw new TypeError("numbers is not a list of numbers");
 *   }
 *   return { numbers };
 * }
 *
 * function parseSum(value: unknown): Sum {
 *   const { sum } = (value ?? {}) as Record<string, unknown>;
 *   if (typeof sum !== "number") throw new TypeError("sum is not a number");
 *   return { sum };
 * }
 *
 * await using server = serve(async (conn) => {
 *   const typed = new TypedConn(conn, json<Numbers, Sum>(parseNumbers));
 *   for await (const { numbers } of typed) await typed.send({ sum: numbers.reduce((a, b) => a + b, 0) });
 * }, { port: 0 });
 *
 * const conn = await FramedConn.connect({ port: server.addr.port });
 * using sums = new TypedConn(conn, json<Sum, Numbers>(parseSum));
 * await sums.send({ numbers: [1, 2, 3] });
 * assertEquals(await sums.receive(), { sum: 6 });
 * ```
 */
export function json<In, Out = In>(validate: Validate<In>): TextCodec<In, Out> {
  checkFunctions("use JSON", { validate });
  return { body: "text", encode: stringify, decode: (text) => validated(validate, parse(text)) };
}

function stringify(value: unknown): string {
  const text: string | undefined = JSON.stringify(value);
  if (text === undefined) throw new TypeError(`Cannot send a ${typeof value} as JSON`);
  return text;
}

function parse(text: string): unknown {
  // By the text: a walk through all values would cost many times what parsing does.
  if (PROTO.test(text)) throw new TypeError("it has the key __proto__");
  if (CONSTRUCTOR.test(text) && PROTOTYPE.test(text)) {
    throw new TypeError("it has the keys constructor and prototype");
  }
  try {
    return JSON.parse(text);
  } catch {
    // What the engine says quotes the message, and messages do not belong into logs.
    throw new TypeError("it is not JSON");
  }
}
