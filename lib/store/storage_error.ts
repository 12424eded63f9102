/**
 * The one error of broken storage.
 *
 * @module
 */

import { messageOf } from "../base/thrown.ts";

/** A store could not read or write its data; `cause` says why. */
export class StorageError extends Error {
  /** Another program has locked the file, so another attempt may succeed soon. */
  readonly isBusy: boolean;

  /** Wraps what was thrown. */
  constructor(cause: unknown) {
    super(messageOf(cause), { cause });
    this.name = "StorageError";
    this.isBusy = cause instanceof Deno.errors.Busy;
  }
}

/**
 * Runs the work of a store.
 *
 * @throws {StorageError} If it throws.
 */
export function storage<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof StorageError ? error : new StorageError(error);
  }
}
