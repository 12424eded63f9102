import { assertEquals } from "@std/assert";
import { encodeFrame } from "../../../lib/frame/frame.ts";
import { FrameTrace } from "../../../tools/faults/frame_trace.ts";

const bytes = (...values: number[]) => new Uint8Array(values);

Deno.test("FrameTrace.push() shows header, length and text of every frame", () => {
  const trace = new FrameTrace();

  const lines = trace.push(bytes(...encodeFrame("hello"), ...encodeFrame(""), ...encodeFrame("я")));

  assertEquals(lines, [
    '00 00 00 05  5 bytes  "hello"',
    '00 00 00 00  0 bytes  ""',
    '00 00 00 02  2 bytes  "я"',
  ]);
});

Deno.test("FrameTrace.push() tells in how many pieces a frame crossed", () => {
  const trace = new FrameTrace();
  const frame = encodeFrame("hi");

  const lines = [...frame].flatMap((byte) => trace.push(bytes(byte)));

  assertEquals(lines, ['00 00 00 02  2 bytes  "hi"  in 6 pieces']);
  assertEquals(trace.push(encodeFrame("hi")), ['00 00 00 02  2 bytes  "hi"']);
  trace.push(encodeFrame("").subarray(0, 3));
  assertEquals(trace.push(bytes(0)), ['00 00 00 00  0 bytes  ""  in 2 pieces']);
});

Deno.test("FrameTrace.push() escapes what would command a terminal", () => {
  const [line] = new FrameTrace().push(encodeFrame("a\x1b[2J\nb"));

  assertEquals(line, '00 00 00 07  7 bytes  "a\\x1b[2J\\nb"');
});

Deno.test("FrameTrace.push() shows what is not text as hex", () => {
  const [line] = new FrameTrace().push(bytes(0, 0, 0, 2, 0xff, 0x00));

  assertEquals(line, "00 00 00 02  2 bytes  ff 00");
});

Deno.test("FrameTrace.push() shows the beginning of a long body, also of half a character", () => {
  const [line] = new FrameTrace({ previewBytes: 4 }).push(encodeFrame("abcяd"));

  assertEquals(line, '00 00 00 06  6 bytes  "abc" …');
});

Deno.test("FrameTrace.push() shows 48 bytes of a body by default, and a byte order mark", () => {
  const trace = new FrameTrace();

  assertEquals(trace.push(encodeFrame("x".repeat(49))), [
    `00 00 00 31  49 bytes  "${"x".repeat(48)}" …`,
  ]);
  assertEquals(trace.push(encodeFrame("\ufeffx")), ['00 00 00 04  4 bytes  "\\u{feff}x"']);
});

Deno.test("FrameTrace.push() believes a header of up to 16 MiB", () => {
  assertEquals(new FrameTrace().push(bytes(1, 0, 0, 0)), []);
  assertEquals(new FrameTrace().push(bytes(1, 0, 0, 1)).length, 1);
});

Deno.test("FrameTrace.push() warns of a header that is hard to believe, at once", () => {
  const trace = new FrameTrace();

  const lines = trace.push(bytes(0xff, 0xff, 0xff, 0xff));

  assertEquals(lines, ["ff ff ff ff  announces 4294967295 bytes"]);
  assertEquals(trace.push(bytes(1, 2)), []);
});

Deno.test("FrameTrace.end() marks a torn header and a torn body", () => {
  const header = new FrameTrace();
  header.push(bytes(0, 0));
  const body = new FrameTrace();
  body.push(encodeFrame("hello").subarray(0, 7));

  assertEquals(header.end(), ["00 00 -- --  TORN after 2 of 4 bytes of the header"]);
  assertEquals(body.end(), ['00 00 00 05  TORN after 3 of 5 bytes of the body  "hel" …']);
});

Deno.test("FrameTrace.end() marks a body of which nothing came", () => {
  const trace = new FrameTrace();
  trace.push(bytes(0, 0, 0, 1));

  assertEquals(trace.end(), ['00 00 00 01  TORN after 0 of 1 byte of the body  "" …']);
});

Deno.test("FrameTrace.end() says nothing between two frames", () => {
  const trace = new FrameTrace();
  assertEquals(trace.end(), []);

  trace.push(encodeFrame("whole"));

  assertEquals(trace.end(), []);
});

Deno.test("FrameTrace paints when it is told to", () => {
  const [line] = new FrameTrace({ colors: true }).push(encodeFrame("hi"));

  assertEquals(line, '\x1b[36m00 00 00 02\x1b[0m  2 bytes  \x1b[32m"hi"\x1b[0m');
});
