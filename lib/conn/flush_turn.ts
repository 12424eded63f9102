/**
 * When connections write: once a turn of the event loop, everything that was queued in it.
 *
 * @module
 */

/** Something with queued bytes that can start to write them. */
export interface Flushable {
  /** The turn is over: starts to write what is queued. Tells whether a write was started. */
  endTurn(): boolean;
}

// tokio lets a task do 128 socket operations before it must yield; past that, writes slow down several times.
const MAX_WRITES_A_TURN = 64;

let waiting: Flushable[] = [];
let scheduled = false;

/** Calls `conn.endTurn()` at the end of this turn, or of one of the next when many want to write. */
export function flushThisTurn(conn: Flushable): void {
  waiting.push(conn);
  if (scheduled) return;
  scheduled = true;
  setImmediate(flushWave);
}

function flushWave(): void {
  let writes = 0;
  let at = 0;
  while (at < waiting.length && writes < MAX_WRITES_A_TURN) if (waiting[at++]!.endTurn()) writes++;
  waiting = waiting.slice(at);
  scheduled = waiting.length > 0;
  if (scheduled) setImmediate(flushWave);
}
