/**
 * When connections write: once a turn of the event loop, everything that was queued in it.
 *
 * @module
 */
import { setImmediate } from "node:timers";

/** Something with queued bytes that can start to write them. */
export interface Flushable {
  /** Starts to write what is queued. Does nothing when nothing is, or when a write is under way. */
  startWriting(): void;
}

// tokio lets a task do 128 socket operations before it must yield; past that, writes slow down several times.
const MAX_WRITES_A_TURN = 64;

let waiting: Flushable[] = [];
let at = 0;
let scheduled = false;

/** Lets `conn` start to write at the end of this turn, or of one of the next when many want to. */
export function flushThisTurn(conn: Flushable): void {
  waiting.push(conn);
  if (scheduled) return;
  scheduled = true;
  setImmediate(flushWave);
}

function flushWave(): void {
  const waveEnd = Math.min(waiting.length, at + MAX_WRITES_A_TURN);
  while (at < waveEnd) waiting[at++]!.startWriting();
  if (at < waiting.length) return void setImmediate(flushWave);
  waiting = [];
  at = 0;
  scheduled = false;
}
