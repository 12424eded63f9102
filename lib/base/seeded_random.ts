/**
 * Repeatable random numbers.
 *
 * @module
 */

/**
 * Makes a generator of numbers from 0 up to but not including 1, the same for the same seeds. Never use it for a secret.
 *
 * Several seeds make one: `seededRandom(seed, connection, direction)` is a series of its own for every connection. The
 * generator is mulberry32, with 32 bits of state.
 */
export function seededRandom(...seeds: number[]): () => number {
  let state = seeds.reduce((mixed, seed) => scramble(mixed ^ seed) + 0x9e3779b9, seeds.length);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    return scramble(state) / 2 ** 32;
  };
}

function scramble(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 15), value | 1);
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
  return (mixed ^ (mixed >>> 14)) >>> 0;
}
