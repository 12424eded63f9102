import { assertEquals } from "@std/assert";
import { assertSpyCalls, spy } from "@std/testing/mock";
import { FakeTime } from "@std/testing/time";
import { flushThisTurn, readEnded, readInTurn } from "../../../lib/base/turns.ts";
import { turns } from "../../support/turns.ts";

/** Asks for so many reads, and gives the numbers of those that were started. */
function ask(count: number): number[] {
  const started: number[] = [];
  for (let i = 0; i < count; i++) readInTurn({ startReading: () => started.push(i) });
  return started;
}

/** Lets reads end, as in one turn, that others started before. */
function endMany(count: number): void {
  for (let i = 0; i < count; i++) readEnded();
}

/** Lets a read end, so that those started by the test before are not taken for just started. */
async function endOthers(): Promise<void> {
  readEnded();
  await turns(1);
}

async function startsOfTurns(count: number, started: number[]): Promise<number[]> {
  const counts = [];
  for (let turn = 0; turn < count; turn++) {
    await turns(1);
    counts.push(started.length);
  }
  return counts;
}

Deno.test("readInTurn() starts 64 reads at the end of a turn, first come, first served", async () => {
  using immediates = spy(globalThis, "setImmediate");
  const started = ask(150);
  await null;
  assertEquals(started, []);

  assertEquals(await startsOfTurns(1, started), [64]);
  readInTurn({ startReading: () => started.push(150) });
  assertEquals(await startsOfTurns(3, started), [128, 151, 151]);

  assertEquals(started, Array.from({ length: 151 }, (_, i) => i));
  assertSpyCalls(immediates, 3);
});

Deno.test("readInTurn() starts nothing while crowds of reads end, and then goes on in order", async () => {
  await endOthers();
  using time = new FakeTime();
  const started = ask(100);
  endMany(32);
  assertEquals(await startsOfTurns(3, started), [0, 0, 0]);

  endMany(32);
  assertEquals(await startsOfTurns(3, started), [0, 0, 0]);

  endMany(31);
  assertEquals(await startsOfTurns(2, started), [64, 100]);
  assertEquals(time.next(), false);
});

Deno.test("readInTurn() takes reads that end as soon as they are started for no crowd", async () => {
  await endOthers();
  const started = ask(200);
  assertEquals(await startsOfTurns(1, started), [64]);

  endMany(64 + 31);

  assertEquals(await startsOfTurns(1, started), [128]);
  await turns(2);
});

Deno.test("readInTurn() lets a crowd's writes start before the turns pause", async () => {
  await endOthers();
  using time = new FakeTime();
  const started = ask(1);
  endMany(32);
  for (const conn of conns(130, true, [])) flushThisTurn(conn);

  await turns(1);
  assertEquals(time.next(), false);
  await turns(3);
  assertEquals(started, []);

  time.tick(1);
  assertEquals(started, [0]);
});

Deno.test("readInTurn() starts nothing more in a crowd for those who ask late", async () => {
  await endOthers();
  using time = new FakeTime();
  const started = ask(20);
  endMany(100);
  await turns(1);

  const late = ask(1);

  assertEquals(await startsOfTurns(3, started), [0, 0, 0]);
  time.tick(1);
  assertEquals([started.length, late.length], [20, 1]);
  assertEquals(await startsOfTurns(1, ask(1)), [1], "then nothing is waited for any more");
});

Deno.test("readInTurn() waits 1 ms for a crowd that brings nothing more", async () => {
  await endOthers();
  using time = new FakeTime();
  const started = ask(70);
  endMany(100);
  assertEquals(await startsOfTurns(2, started), [0, 0]);

  time.tick(1);

  assertEquals(await startsOfTurns(2, started), [70, 70]);
  assertEquals(await startsOfTurns(1, ask(1)), [1]);
});

function conns(count: number, writes: boolean, ended: number[]) {
  return Array.from({ length: count }, (_, i) => ({
    endTurn: () => {
      ended.push(i);
      return writes;
    },
  }));
}

Deno.test("flushThisTurn() starts 64 writes at the end of a turn, in order", async () => {
  using immediates = spy(globalThis, "setImmediate");
  const ended: number[] = [];
  for (const conn of conns(150, true, ended)) flushThisTurn(conn);
  await null;
  assertEquals(ended, []);

  assertEquals(await startsOfTurns(4, ended), [64, 128, 150, 150]);

  assertEquals(ended, Array.from({ length: 150 }, (_, i) => i));
  assertSpyCalls(immediates, 3);
});

Deno.test("flushThisTurn() does not count those with nothing to write", async () => {
  const ended: number[] = [];
  for (const conn of conns(500, false, [])) flushThisTurn(conn);
  for (const conn of conns(1, true, ended)) flushThisTurn(conn);

  await turns(1);

  assertEquals(ended, [0]);
});

Deno.test("flushThisTurn() takes more while it is at work", async () => {
  const ended: string[] = [];
  const later = { endTurn: () => ended.push("later") > 0 };
  flushThisTurn({
    endTurn: () => {
      flushThisTurn(later);
      return ended.push("first") > 0;
    },
  });

  await turns(2);

  assertEquals(ended, ["first", "later"]);
});

Deno.test("readInTurn() leaves no timer when a crowd has ended and nothing wants to read", async () => {
  await endOthers();
  using time = new FakeTime();
  endMany(32);
  await turns(2);
  assertEquals(time.next(), false);

  const started = ask(1);
  assertEquals(await startsOfTurns(2, started), [0, 0]);
  time.tick(1);
  assertEquals(started, [0]);
});
