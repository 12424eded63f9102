/**
 * When connections read and write: at the end of a turn of the event loop, in order, a bounded number a turn.
 *
 * tokio lets a task do 128 socket operations before it must yield. Past that, writes slow down several times, and reads
 * are woken last in, first out: the connections served last are served next, and others wait for seconds
 * (docs/starvation.md). So 64 writes and 64 reads start in a turn at most. Where more of the reads under way are ready
 * than tokio allows, no other starts until they are done.
 *
 * @module
 */

/** Something with queued bytes. */
export interface Flushable {
  /** The turn is over: starts to write what is queued. Returns whether a write was started. */
  endTurn(): boolean;
}

/** Something that reads. */
export interface Reading {
  /** It is its turn: starts to read, or does not want to any more. */
  startReading(): void;
}

const MAX_STARTS_A_TURN = 64;

let toFlush: Flushable[] = [];
let flushScheduled = false;

/** Calls `conn.endTurn()` at the end of this turn, or of one of the next when many want to write. */
export function flushThisTurn(conn: Flushable): void {
  toFlush.push(conn);
  if (flushScheduled) return;
  flushScheduled = true;
  setImmediate(flushWave);
}

function flushWave(): void {
  let writes = 0;
  let at = 0;
  while (at < toFlush.length && writes < MAX_STARTS_A_TURN) if (toFlush[at++]!.endTurn()) writes++;
  toFlush = toFlush.slice(at);
  flushScheduled = toFlush.length > 0;
  if (flushScheduled) setImmediate(flushWave);
}

// When this many reads end in one turn besides those just started, more are ready than tokio allows: a crowd.
const CROWD = 32;
// The longest that reads wait for a crowd that brings nothing more, in milliseconds.
const PATIENCE_MS = 1;

let toRead: Reading[] = [];
let readsEnded = 0;
let readsStarted = 0;
let readScheduled = false;
let crowded = false;
let timer: ReturnType<typeof setTimeout> | undefined;

/** Calls `reading.startReading()` at the end of this turn, or of one of the next when many wait. */
export function readInTurn(reading: Reading): void {
  toRead.push(reading);
  // In a crowd, the end of a read or the timer starts the next.
  if (timer === undefined) scheduleReads();
}

/** To be called when a read has ended. */
export function readEnded(): void {
  readsEnded++;
  scheduleReads();
}

function scheduleReads(): void {
  if (readScheduled) return;
  readScheduled = true;
  setImmediate(endTurnOfReads);
}

function endTurnOfReads(): void {
  readScheduled = false;
  if (timer !== undefined) {
    clearTimeout(timer);
    timer = undefined;
    crowded = false;
  }
  // What a turn started has mostly ended in it, because its bytes had come before.
  if (readsEnded - readsStarted >= CROWD) crowded = true;
  readsEnded = readsStarted = 0;
  if (!crowded) startReads();
  // tokio looks at what it put aside when the turns pause, so not while there are writes.
  else if (toFlush.length > 0) scheduleReads();
  // When nothing wants to read, there is nothing to wait for: the next who asks waits.
  else if (toRead.length > 0) timer = setTimeout(startReads, PATIENCE_MS);
}

function startReads(): void {
  timer = undefined;
  crowded = false;
  const next = toRead.slice(0, MAX_STARTS_A_TURN);
  toRead = toRead.slice(next.length);
  readsStarted = next.length;
  for (const reading of next) reading.startReading();
  if (toRead.length > 0) scheduleReads();
}
