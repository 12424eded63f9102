/**
 * Tables whose keys come from outside.
 *
 * @module
 */

/** Gives the table's own value for a key; `undefined` for one such as `constructor`, which every object has. */
export function lookUp<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}
