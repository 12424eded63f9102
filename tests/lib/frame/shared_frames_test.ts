import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { NO_FRAMES } from "../../../lib/frame/shared_frames.ts";
import { encodeFrame } from "../../../lib/frame/frame.ts";
import { framesOf } from "../../support/bytes.ts";

const [a, b, c] = ["a", "bb", "ccc"].map((text) => encodeFrame(text)) as [
  Uint8Array,
  Uint8Array,
  Uint8Array,
];

Deno.test("SharedFrames.append() gives the same frames to all who append the same", () => {
  const each = [NO_FRAMES, NO_FRAMES, NO_FRAMES];

  const [first, second, third] = [a, b, c].reduce(
    (all, frame) => all.map((frames) => frames.append(frame)),
    each,
  );

  assertStrictEquals(first, second);
  assertStrictEquals(first, third);
  assertStrictEquals(first!.bytes, third!.bytes);
  assertEquals([first!.bytes, first!.length, first!.count], [framesOf("a", "bb", "ccc"), 18, 3]);
  assertStrictEquals(NO_FRAMES.append(b).bytes, b, "one frame is not copied");
  assert(NO_FRAMES.append(a) !== NO_FRAMES.append(encodeFrame("a")));
});

Deno.test("SharedFrames.bytes ends what is shared: the same frame sent again begins anew", () => {
  const sent = NO_FRAMES.append(a).append(b);
  assertEquals(sent.bytes, framesOf("a", "bb"));

  assertEquals(NO_FRAMES.append(a) === sent, false);
  assertEquals(NO_FRAMES.append(a).append(b).bytes, framesOf("a", "bb"));
});
