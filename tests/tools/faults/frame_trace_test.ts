import { assertEquals } from "@std/assert";
import { encodeFrame } from "../../../lib/frame/frame.ts";
import { FrameTrace } from "../../../tools/faults/frame_trace.ts";

const bytes = (...values: number[]) => new Uint8Array(values);

/** What one chunk shows on a new trace, and what its end adds. */
const SHOWN: [what: string, chunk: Uint8Array, lines: string[], atEnd?: string][] = [
  ["header, length and text", encodeFrame("hello"), ['00 00 00 05  5 bytes  "hello"']],
  ["each of many frames", bytes(...encodeFrame(""), ...encodeFrame("я")), [
    '00 00 00 00  0 bytes  ""',
    '00 00 00 02  2 bytes  "я"',
  ]],
  ["what would command a terminal, escaped", encodeFrame("a\x1b[2J\nb"), [
    '00 00 00 07  7 bytes  "a\\x1b[2J\\nb"',
  ]],
  ["a byte order mark", encodeFrame("\ufeffx"), ['00 00 00 04  4 bytes  "\\u{feff}x"']],
  ["what is not text, as hex", bytes(0, 0, 0, 2, 0xff, 0), ["00 00 00 02  2 bytes  ff 00"]],
  ["48 bytes of a body", encodeFrame("x".repeat(49)), [
    `00 00 00 31  49 bytes  "${"x".repeat(48)}" …`,
  ]],
  [
    "a truncated header at the end",
    bytes(0, 0),
    [],
    "00 00 -- --  TRUNCATED after 2 of 4 bytes of the header",
  ],
  [
    "a truncated body at the end",
    encodeFrame("hello").subarray(0, 7),
    [],
    '00 00 00 05  TRUNCATED after 3 of 5 bytes of the body  "hel" …',
  ],
  [
    "a body of which nothing came",
    bytes(0, 0, 0, 1),
    [],
    '00 00 00 01  TRUNCATED after 0 of 1 byte of the body  "" …',
  ],
];

for (const [what, chunk, lines, atEnd] of SHOWN) {
  Deno.test(`FrameTrace shows ${what}`, () => {
    const trace = new FrameTrace();
    assertEquals(trace.push(chunk), lines);
    assertEquals(trace.end(), atEnd === undefined ? [] : [atEnd]);
  });
}

Deno.test("FrameTrace.push() tells in how many pieces a frame crossed", () => {
  const trace = new FrameTrace();
  const frame = encodeFrame("hi");

  const lines = [...frame].flatMap((byte) => trace.push(bytes(byte)));

  assertEquals(lines, ['00 00 00 02  2 bytes  "hi"  in 6 pieces']);
  assertEquals(trace.push(encodeFrame("hi")), ['00 00 00 02  2 bytes  "hi"']);
  trace.push(encodeFrame("").subarray(0, 3));
  assertEquals(trace.push(bytes(0)), ['00 00 00 00  0 bytes  ""  in 2 pieces']);
});

Deno.test("FrameTrace.push() believes a header of up to 16 MiB, and warns of more at once", () => {
  const trace = new FrameTrace();
  assertEquals(new FrameTrace().push(bytes(1, 0, 0, 0)), []);
  assertEquals(new FrameTrace().push(bytes(1, 0, 0, 1)).length, 1);

  assertEquals(trace.push(bytes(0xff, 0xff, 0xff, 0xff)), [
    "ff ff ff ff  announces 4294967295 bytes",
  ]);
  assertEquals(trace.push(bytes(1, 2)), []);
});

Deno.test("FrameTrace cuts and paints a body as it is told", () => {
  const [short] = new FrameTrace({ previewBytes: 4 }).push(encodeFrame("abcяd"));
  const [painted] = new FrameTrace({ colors: true }).push(encodeFrame("hi"));

  assertEquals(short, '00 00 00 06  6 bytes  "abc" …');
  assertEquals(painted, '\x1b[36m00 00 00 02\x1b[0m  2 bytes  \x1b[32m"hi"\x1b[0m');
});
