/**
 * Random numbers that can be had again.
 *
 * @module
 */

/**
 * Makes a function that gives numbers from 0 up to but not including 1, the same for the same seeds.
 *
 * Several seeds make one: `seededRandom(seed, connection, direction)` is a series of its own for
 * every connection, however many are busy. Never use it for a secret.
 *
 * The generator is mulberry32: 32 bits of state, fast, and good enough to spread faults.
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
