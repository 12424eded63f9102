import { assertEquals } from "@std/assert";
import { type Args, parseArgs } from "@std/cli/parse-args";
import { unicodeWidth } from "@std/cli/unicode-width";
import * as offlineArgs from "../../../tools/std/cli/parse_args.ts";
import * as offlineWidth from "../../../tools/std/cli/unicode_width.ts";

const std = { parseArgs, unicodeWidth };
const offline = {
  ...offlineArgs,
  ...offlineWidth,
} as unknown as typeof std; // tested for less

for (
  const [source, { parseArgs, unicodeWidth }] of Object.entries({ std, offline })
) {
  const test = (name: string, fn: () => void | Promise<void>) =>
    Deno.test(`${source}: ${name}`, fn);

  type Parsed = [args: string, expected: Args, options?: Parameters<typeof parseArgs>[1]];
  const parsed: Parsed[] = [
    ["", { _: [] }],
    ["--host=::1 --port 9090 rest", { host: "::1", port: 9090, _: ["rest"] }],
    ["--key=a=b", { key: "a=b", _: [] }],
    ["--a 1e3 --b 0x10 --c 1.5x 7", { a: 1000, b: 16, c: "1.5x", _: [7] }],
    ["--port 0080 --host", { port: "0080", host: "", _: [] }, { string: ["port", "host"] }],
    ["--raw echo", { raw: true, help: false, _: ["echo"] }, { boolean: ["raw", "help"] }],
    ["--raw false --h=true", { raw: false, h: true, _: [] }, { boolean: ["raw", "h"] }],
    ["--port --raw", { port: true, raw: true, _: [] }],
    ["-p 80 -v", { p: 80, v: true, _: [] }],
    ["--port 1 --port 2", { port: 2, _: [] }],
    ["--t a --t b", { t: ["a", "b"], n: [], _: [] }, { collect: ["t", "n"], string: ["t", "n"] }],
    ["--t a", { t: ["a"], _: [] }, { collect: ["t"], string: ["t"] }],
    ["--up.delay 5 --up.cut=1 --down.cut 2", {
      up: { delay: 5, cut: "1", flip: [] },
      down: { cut: ["2"] },
      _: [],
    }, { string: ["up.cut", "down.cut", "up.flip"], collect: ["down.cut", "up.flip"] }],
    ["--a 1 -- --b 2", { a: 1, _: ["--b", "2"] }],
  ];
  for (const [args, expected, options] of parsed) {
    test(`parseArgs() of ${args} with ${JSON.stringify(options)}`, () => {
      assertEquals(parseArgs(args === "" ? [] : args.split(" "), options), expected);
    });
  }

  test("parseArgs() asks about unknown arguments, and leaves out what is refused", () => {
    const asked: unknown[] = [];
    const unknown = (...about: unknown[]) => {
      asked.push(about);
      return about[0] === "-x";
    };
    const parsed = parseArgs(["--port", "1", "--prot", "2", "stray", "-x"], {
      string: ["port"],
      boolean: ["help"],
      unknown,
    });
    assertEquals(asked, [["--prot", "prot", "2"], ["stray"], ["-x", "x", true]]);
    assertEquals(parsed, { port: "1", help: false, x: true, _: [] });
  });

  const widths: [text: string, columns: number][] = [
    ["", 0],
    ["hello world", 11],
    ["天地玄黃宇宙洪荒", 16],
    ["ｆｕｌｌｗｉｄｔｈ", 18],
    ["Привет", 6],
    ["한국어", 6],
    ["e\u0301", 1],
    ["🦕", 2],
    ["\x00\x1b\u200b", 0],
    ["\u2e9a\u3130\u{2fffe}", 3], // unassigned
    ["\u1100\u1161\u11a8\ud7b0", 3], // Jamo: wide, joined, joined, narrow
  ];
  for (const [text, columns] of widths) {
    test(`unicodeWidth() of ${JSON.stringify(text)} is ${columns}`, () => {
      assertEquals(unicodeWidth(text), columns);
    });
  }
}
