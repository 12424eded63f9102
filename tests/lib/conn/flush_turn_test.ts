import { assertEquals } from "@std/assert";
import { assertSpyCalls, spy } from "@std/testing/mock";
import { flushThisTurn } from "../../../lib/conn/flush_turn.ts";
import { turns } from "../../support/turns.ts";

function conns(count: number, writes: boolean, ended: number[]) {
  return Array.from({ length: count }, (_, i) => ({
    endTurn: () => {
      ended.push(i);
      return writes;
    },
  }));
}

Deno.test("flushThisTurn() waits for the end of the turn, and keeps the order", async () => {
  const ended: number[] = [];
  for (const conn of conns(3, true, ended)) flushThisTurn(conn);
  await null;
  assertEquals(ended, []);

  await turns(1);

  assertEquals(ended, [0, 1, 2]);
});

Deno.test("flushThisTurn() starts 64 writes a turn", async () => {
  const ended: number[] = [];
  for (const conn of conns(150, true, ended)) flushThisTurn(conn);

  const counts = [];
  for (let turn = 0; turn < 4; turn++) {
    await turns(1);
    counts.push(ended.length);
  }

  assertEquals(counts, [64, 128, 150, 150]);
  assertEquals(ended, Array.from({ length: 150 }, (_, i) => i));
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

Deno.test("flushThisTurn() is at work only in turns in which somebody waits", async () => {
  using immediates = spy(globalThis, "setImmediate");
  for (const conn of conns(65, true, [])) flushThisTurn(conn);

  await turns(5);

  assertSpyCalls(immediates, 2);
});
