/**
 * When connections read: at the end of the turn, those first that waited longest.
 *
 * tokio lets a task do 128 socket operations before it must yield, and wakes what went over that last in, first out. If
 * all connections read again as soon as they can, and more than that are busy, the ones served last are served next, and
 * others wait for seconds (docs/starvation.md). So reads start in the order they were asked for, a bounded number a turn.
 * Where those under way use up what tokio allows, hardly any other starts until they are done.
 *
 * @module
 */

/** Something that reads. */
export interface Reading {
  /** It is its turn: starts to read, or does not want to any more. */
  startReading(): void;
}

// With as many writes, 128.
const MAX_STARTS_A_TURN = 64;
// So many reads that end in a turn are a crowd: what tokio lets through, less what is written meanwhile.
const CROWD = 100;
// What was put aside goes on only while something starts; so many leave it most of the room.
const MAX_STARTS_IN_A_CROWD = 16;
// The longest that reads wait for a crowd that brings nothing more, in milliseconds.
const PATIENCE_MS = 1;

let waiting: Reading[] = [];
let ended = 0;
let scheduled = false;
let timer: ReturnType<typeof setTimeout> | undefined;

/** Calls `reading.startReading()` when it is its turn: at the end of this turn, or of one of the next if many wait. */
export function readInTurn(reading: Reading): void {
  waiting.push(reading);
  // In a crowd, the end of a read or the timer is what starts the next.
  if (timer === undefined) schedule();
}

/** Tells that a read has ended. */
export function readEnded(): void {
  ended++;
  schedule();
}

function schedule(): void {
  if (scheduled) return;
  scheduled = true;
  setImmediate(endTurn);
}

function endTurn(): void {
  const crowded = ended >= CROWD;
  ended = 0;
  scheduled = false;
  if (timer !== undefined) clearTimeout(timer);
  timer = undefined;
  const starts = crowded ? MAX_STARTS_IN_A_CROWD : MAX_STARTS_A_TURN;
  const next = waiting.slice(0, starts);
  waiting = waiting.slice(starts);
  for (const reading of next) reading.startReading();
  if (waiting.length === 0) return;
  // tokio looks at the sockets when the turns pause.
  if (crowded) timer = setTimeout(endTurn, PATIENCE_MS);
  else schedule();
}
