/**
 * The module `node:net`, for what only its sockets can do.
 *
 * @module
 */

/** Loads it where it is used: imported, it would cost every start of every program about 20 ms. */
export function nodeNet(): typeof import("node:net") {
  return globalThis.process.getBuiltinModule("node:net");
}
