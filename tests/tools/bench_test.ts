import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { FrameCounter } from "../../tools/bench/frame_counter.ts";
import { median, medianRatio, percentile, short, table } from "../../tools/bench/report.ts";
import config from "../../deno.json" with { type: "json" };
import { encodeFrame } from "../../lib/frame/frame.ts";
import type { Ended } from "../../tools/shared/program.ts";
import { deno } from "../support/deno.ts";
import { PROCESSES, testWith } from "../support/permissions.ts";

Deno.test("median() is the middle value, whatever the order", () => {
  assertEquals(median([30, 10, 20]), 20);
  assertEquals(median([40, 10, 30, 20]), 25);
  assertEquals(median([]), NaN);
});

Deno.test("percentile() is a value that the share of all values does not exceed", () => {
  const values = Array.from({ length: 100 }, (_, i) => 100 - i);

  assertEquals([0, 0.5, 0.99, 1].map((share) => percentile(values, share)), [1, 50, 99, 100]);
  assertEquals(percentile([7], 0.99), 7);
  assertEquals(percentile([], 0.5), NaN);
});

Deno.test("medianRatio() compares within a round, and skips rounds that failed", () => {
  assertEquals(medianRatio([10, 200, 3], [5, 100, 1]), 2);
  assertEquals(medianRatio([undefined, 30], [10, 10]), 3);
  assertEquals(medianRatio([10], [undefined]), NaN);
});

Deno.test("short() keeps the digits that count", () => {
  const numbers = [
    0,
    0.00123,
    0.1234,
    0.9996,
    1.5,
    12.34,
    123.4,
    1234,
    1_234_567,
    12_345_678_900,
    NaN,
  ];

  assertEquals(numbers.map(short), [
    "0",
    "0.0012",
    "0.12",
    "1.00",
    "1.50",
    "12.3",
    "123",
    "1.23k",
    "1.23M",
    "12.3G",
    "-",
  ]);
});

Deno.test("table() is Markdown with aligned columns", () => {
  assertEquals(
    table([["case", "n"], ["a", "1234"], ["longer", "5"]]),
    [
      "| case   |    n |",
      "| ------ | ---: |",
      "| a      | 1234 |",
      "| longer |    5 |",
    ].join("\n"),
  );
});

Deno.test("FrameCounter.count() counts whole frames wherever the stream is cut", () => {
  const stream = new Uint8Array([...encodeFrame("abc"), ...encodeFrame("def")]);
  for (let chunkBytes = 1; chunkBytes <= stream.length; chunkBytes++) {
    const counter = new FrameCounter(3);
    let frames = 0;
    for (let at = 0; at < stream.length; at += chunkBytes) {
      frames += counter.count(stream.subarray(at, at + chunkBytes));
    }
    assertEquals(frames, 2);
  }
});

Deno.test("FrameCounter.count() refuses a frame of another length", () => {
  const counter = new FrameCounter(3);
  assertEquals(counter.count(encodeFrame("abc")), 1);

  assertThrows(() => counter.count(encodeFrame("four")), Error, "another length");
});

/** Runs the load benchmark with the permissions of its task; this very Deno need not be on the search path. */
function runLoad(...flags: string[]): Promise<Ended> {
  const permissions = ["--allow-net=127.0.0.1", `--allow-run=${Deno.execPath()},node,python3`];
  return deno(["run", "--quiet", "--no-prompt", ...permissions, "tools/bench/load.ts", ...flags]);
}

testWith(PROCESSES, "The load benchmark measures a case, and names whom it skipped", async () => {
  const flags = ["--", "--rounds", "1", "--seconds", "0.05", "--only", "ping"];
  const { code, out, err } = await runLoad(...flags);

  assertEquals(code, 0, out + err);
  assert(/ping-pong.*\| +framed\/tcp \| +(≥ )?[\d.]+k?M?\/s \| +(1\.00|-) \|/.test(out), out);
  for (
    const peer of ["echo task, with its log", "Node net", "Deno, bytes", "Python asyncio"]
  ) {
    assertStringIncludes(out, peer);
  }
  assert(/^\.+\n$/.test(err), err);
});

testWith(PROCESSES, "The task bench explains itself before it measures anything", async () => {
  const [, ...args] = config.tasks.bench.command.split(" ");

  const { code, out } = await deno([...args, "--", "--help"]);

  assertEquals(code, 0);
  assertMatch(out, /^Usage: deno task bench/);
});

testWith(PROCESSES, "The load benchmark refuses flags that it does not understand", async () => {
  const wrong = [["--rounds", "0"], ["--seconds", "x"], ["--only", "what"], ["--fast"]];
  for (const flags of wrong) {
    const { code, out, err } = await runLoad(...flags);

    assertEquals([code, out], [2, ""]);
    assertStringIncludes(err, flags.at(-1)!);
  }
});
