/**
 * An error on its way to another thread.
 *
 * A message port would deliver any error as a plain `Error`; who reads it there tells errors apart by their class.
 *
 * @module
 */
import { FrameTooLargeError } from "../../lib/frame/frame.ts";

/** An error as data. */
export interface CarriedError {
  /** The name of its class. */
  name: string;
  /** What it says. */
  message: string;
  /** Where it was thrown. */
  stack: string;
  /** Its numbers and texts, as `code` or `bodyBytes`. */
  details: Record<string, unknown>;
}

const CLASSES: Record<string, { prototype: Error }> = {
  ...Deno.errors,
  RangeError,
  TypeError,
  SyntaxError,
  FrameTooLargeError,
};

/** Turns whatever was thrown into data. */
export function packError(thrown: unknown): CarriedError {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const details = Object.entries(error).filter(([, value]) =>
    typeof value === "number" || typeof value === "string"
  );
  const { name, message, stack } = error;
  return {
    name: String(name),
    message: String(message),
    stack: String(stack),
    details: Object.fromEntries(details),
  };
}

/** Makes the error again, of the same class if that is a built-in one. */
export function unpackError({ name, message, stack, details }: CarriedError): Error {
  const error = Object.assign(new Error(message), details, { name, stack });
  const known = Object.hasOwn(CLASSES, name) ? CLASSES[name] : undefined;
  return known ? Object.setPrototypeOf(error, known.prototype) : error;
}
