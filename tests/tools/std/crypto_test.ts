import { assertEquals, assertThrows } from "@std/assert";
import * as std from "@std/crypto/timing-safe-equal";
import * as offline from "../../../tools/std/crypto/timing_safe_equal.ts";

for (const [source, { timingSafeEqual }] of Object.entries({ std, offline })) {
  Deno.test(`${source}: timingSafeEqual() compares bytes, whatever holds them`, () => {
    const bytes = Uint8Array.of(0, 1, 2, 3).subarray(1);
    assertEquals(timingSafeEqual(bytes, Uint8Array.of(1, 2, 3)), true);
    assertEquals(timingSafeEqual(bytes, Uint8Array.of(1, 2, 3).buffer), true);
    assertEquals(timingSafeEqual(bytes, new DataView(bytes.buffer, 1)), true);
    assertEquals(timingSafeEqual(new Uint8Array(), new Uint8Array()), true);
    for (const i of [0, 1, 2]) {
      const other = bytes.slice();
      other[i]! ^= 0x80;
      assertEquals(timingSafeEqual(bytes, other), false);
    }
  });

  Deno.test(`${source}: timingSafeEqual() refuses different lengths`, () => {
    assertThrows(() => timingSafeEqual(new Uint8Array(2), new Uint8Array(3)), TypeError, "2 vs 3");
  });
}
