import { assertEquals, assertRejects } from "@std/assert";
import { PipeLines } from "../../../client/chat/pipe_lines.ts";
import { turns } from "../../support/turns.ts";

async function* three(read: string[]) {
  for (const line of ["a", "b", "c"]) {
    read.push(line);
    yield await Promise.resolve(line);
  }
}

Deno.test("PipeLines.read() ends before the lines are taken, each in its turn", async () => {
  const gate = Promise.withResolvers<void>();
  const taken: string[] = [];
  const pipe = new PipeLines({
    turn: () => gate.promise,
    take: (line) => taken.push(line),
    isFull: () => false,
  });

  await pipe.read(three([]));
  assertEquals([pipe.waiting, taken], [3, []]);
  gate.resolve();
  await pipe.taken;

  assertEquals([pipe.waiting, taken], [0, ["a", "b", "c"]]);
});

Deno.test("PipeLines.read() reads no further while too many lines wait", async () => {
  const gate = Promise.withResolvers<void>();
  const read: string[] = [];
  const pipe = new PipeLines({
    turn: () => gate.promise,
    take: () => {},
    isFull: (waiting) => waiting > 1,
  });

  const reading = pipe.read(three(read));
  await turns(2);
  assertEquals(read, ["a", "b"]);
  gate.resolve();
  await reading;

  assertEquals(read, ["a", "b", "c"]);
});

Deno.test("PipeLines.taken rejects with what a turn threw", async () => {
  const pipe = new PipeLines({
    turn: () => Promise.reject(new Error("broken")),
    take: () => {},
    isFull: () => false,
  });

  await pipe.read(three([]));

  await assertRejects(() => pipe.taken, Error, "broken");
});
