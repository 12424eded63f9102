import { assert, assertEquals } from "@std/assert";
import {
  giveBuffer,
  LARGE_BUFFER_BYTES,
  SMALL_BUFFER_BYTES,
  takeBuffer,
} from "../../../lib/frame/buffer_pool.ts";

Deno.test("takeBuffer() gives at least what is wanted", () => {
  const sizes = [0, 1, SMALL_BUFFER_BYTES, SMALL_BUFFER_BYTES + 1, 4096, 4097, LARGE_BUFFER_BYTES];

  assertEquals(sizes.map((bytes) => takeBuffer(bytes).length), [
    256,
    256,
    256,
    4096,
    4096,
    LARGE_BUFFER_BYTES,
    LARGE_BUFFER_BYTES,
  ]);
  assertEquals(takeBuffer(LARGE_BUFFER_BYTES + 1).length, LARGE_BUFFER_BYTES + 1);
});

Deno.test("takeBuffer() gives a buffer that was given back, to one user only", () => {
  const buffer = takeBuffer(200);
  giveBuffer(buffer);

  assert(takeBuffer(1) === buffer);
  assert(takeBuffer(1) !== buffer);
});

Deno.test("giveBuffer() keeps a bounded number of buffers, and none of another size", () => {
  const given = Array.from({ length: 200 }, () => new Uint8Array(SMALL_BUFFER_BYTES));
  for (const buffer of given) giveBuffer(buffer);

  const again = new Set(Array.from({ length: 200 }, () => takeBuffer(1)));
  assertEquals(given.filter((buffer) => again.has(buffer)).length, 64);
  for (const bytes of [0, 1, 1000, 4095, LARGE_BUFFER_BYTES + 1]) {
    const odd = new Uint8Array(bytes);
    giveBuffer(odd);
    assert(takeBuffer(bytes) !== odd);
  }
});
