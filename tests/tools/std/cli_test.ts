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
  const parses = (
    what: string,
    args: string,
    options: Parameters<typeof parseArgs>[1],
    expected: Args,
  ) =>
    test(`parseArgs() ${what}`, () => {
      assertEquals(parseArgs(args === "" ? [] : args.split(" "), options), expected);
    });

  parses("of nothing finds nothing", "", {}, { _: [] });
  parses("takes values after = and after a space", "--host=::1 --port 9090 rest", {}, {
    host: "::1",
    port: 9090,
    _: ["rest"],
  });
  parses("keeps = in a value", "--key=a=b", {}, { key: "a=b", _: [] });
  parses("makes numbers of what looks like one", "--a 1e3 --b 0x10 --c 1.5x 7", {}, {
    a: 1000,
    b: 16,
    c: "1.5x",
    _: [7],
  });
  parses("keeps the text of a string flag", "--port 0080 --host", { string: ["port", "host"] }, {
    port: "0080",
    host: "",
    _: [],
  });
  parses("keeps the text of other arguments", "1 2", { string: ["_"] }, { _: ["1", "2"] });
  parses("gives a boolean flag no value", "--raw echo", { boolean: ["raw", "help"] }, {
    raw: true,
    help: false,
    _: ["echo"],
  });
  parses("takes true and false for a boolean flag", "--raw false --help=true", {
    boolean: ["raw", "help"],
  }, { raw: false, help: true, _: [] });
  parses("makes every long flag boolean when told so", "--raw echo -p 1", { boolean: true }, {
    raw: true,
    p: 1,
    _: ["echo"],
  });
  parses("gives no value to a flag before a flag", "--port --raw", {}, {
    port: true,
    raw: true,
    _: [],
  });
  parses("reads short flags together", "-abc -p80 -n=5 -o out", {}, {
    a: true,
    b: true,
    c: true,
    p: 80,
    n: 5,
    o: "out",
    _: [],
  });
  parses("takes - for an argument", "- -f -", {}, { f: "-", _: ["-"] });
  parses("sets a flag and its aliases", "-p 80", { alias: { port: ["p", "P"] } }, {
    port: 80,
    p: 80,
    P: 80,
    _: [],
  });
  parses("gives aliases the type of their flag", "-h x", {
    boolean: ["help"],
    alias: { help: "h" },
  }, { help: true, h: true, _: ["x"] });
  parses("takes defaults for absent flags", "--host a", {
    default: { host: "b", port: 9090 },
    alias: { port: "p" },
  }, { host: "a", port: 9090, p: 9090, _: [] });
  parses("lets the last of several count", "--port 1 --port 2", {}, { port: 2, _: [] });
  parses("collects", "--tag a --tag b", { collect: ["tag"], string: ["tag"] }, {
    tag: ["a", "b"],
    _: [],
  });
  parses(
    "collects one and none",
    "--tag a",
    { collect: ["tag", "name"], string: ["tag", "name"] },
    {
      tag: ["a"],
      name: [],
      _: [],
    },
  );
  parses("negates", "--no-color --no-log", { boolean: ["color"], negatable: ["color"] }, {
    color: false,
    "no-log": true,
    _: [],
  });
  parses("sets a flag whose name has no- and a value", "--no-port=1", { string: ["port"] }, {
    port: "1",
    _: [],
  });
  parses("nests names with dots", "--up.delay 5 --up.cut=1 --down.cut 2", {
    string: ["up.cut", "down.cut", "up.flip"],
    collect: ["down.cut", "up.flip"],
  }, { up: { delay: 5, cut: "1", flip: [] }, down: { cut: ["2"] }, _: [] });
  parses("takes the last letter of short flags for a flag, whatever it is", "-aй -b🦕 -cйd", {}, {
    a: true,
    "й": true,
    b: "🦕",
    c: "йd",
    _: [],
  });
  parses("leaves what follows -- alone", "--a 1 -- --b 2", {}, { a: 1, _: ["--b", "2"] });
  parses("keeps apart what follows -- when told so", "x -- --b 2", { "--": true }, {
    _: ["x"],
    "--": ["--b", "2"],
  });
  parses("stops early", "--a b run --c 1", { stopEarly: true, string: ["a"] }, {
    a: "b",
    _: ["run", "--c", "1"],
  });

  test("parseArgs() asks about unknown arguments, and leaves out what is refused", () => {
    const asked: unknown[] = [];
    const unknown = (...about: unknown[]) => {
      asked.push(about);
      return about[0] === "-x";
    };
    const parsed = parseArgs(["--port", "1", "--prot", "2", "stray", "-x"], {
      string: ["port"],
      boolean: ["help"],
      alias: { help: "h" },
      unknown,
    });
    assertEquals(asked, [["--prot", "prot", "2"], ["stray"], ["-x", "x", true]]);
    assertEquals(parsed, { port: "1", help: false, h: false, x: true, _: [] });
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
