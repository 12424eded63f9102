import { setImmediate } from "node:timers";
import { PassThrough } from "node:stream";
import { assertEquals } from "@std/assert";
import { stub } from "@std/testing/mock";
import { FakeTime } from "@std/testing/time";
import { AsyncOutput } from "../../../lib/terminal/async_output.ts";
import { Terminal } from "../../../lib/terminal/terminal.ts";

/** A file that takes three bytes at a time: none while `error` is set, and only at once while `room` is awaited. */
class FakeFile {
  text = "";
  error: Error | undefined;
  room: Promise<void> | undefined;
  #decoder = new TextDecoder();

  writeSync(bytes: Uint8Array): number {
    if (this.error) throw this.error;
    this.text += this.#decoder.decode(bytes.subarray(0, 3));
    return Math.min(3, bytes.length);
  }

  async write(bytes: Uint8Array): Promise<number> {
    await this.room;
    return this.writeSync(bytes);
  }

  isTerminal(): boolean {
    return false;
  }
}

/** Settles when all promises have that can. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

Deno.test("AsyncOutput.isLossy drops what a full disk does not take, and writes again later", async () => {
  const file = new FakeFile();
  const output = new AsyncOutput(file, { isLossy: true });
  const write = async (text: string) => {
    output.write(text);
    await settled();
  };

  await write("first ");
  file.error = new Error("No space left on device");
  await write("second ");
  file.error = undefined;
  await write("third");

  assertEquals([file.text, output.writable], ["first third", true]);
});

for (const isLossy of [false, true]) {
  Deno.test(`AsyncOutput reports the end of its reader (isLossy: ${isLossy})`, async () => {
    const file = new FakeFile();
    const output = new AsyncOutput(file, { isLossy });
    const failed = new Promise((resolve) => output.on("error", resolve));

    file.error = new Deno.errors.BrokenPipe("Broken pipe");
    output.write("lost");

    assertEquals([await failed, output.writable], [file.error, false]);
  });
}

for (
  const [what, turns, text] of [
    ["what is written within 1 s of a pending write", 4, "last"],
    ["what is written by a process that got no time in between", 1, "last"],
    ["nothing where a write has waited for 1.25 s", 5, ""],
  ] as const
) {
  Deno.test(`AsyncOutput.exit() lets through ${what}`, async () => {
    using time = new FakeTime();
    using _clock = stub(performance, "now", () => 10_000);
    const busy = new FakeFile();
    const { promise: room, resolve: makeRoom } = Promise.withResolvers<void>();
    busy.room = room;
    const output = new AsyncOutput(busy);
    const written = new Promise<void>((resolve) => output.write("before", () => resolve()));
    for (let turn = 0; turn < turns; turn++) await time.tickAsync(250);

    output.exit();
    output.write("la");
    output.write("st");

    assertEquals(busy.text, text);
    makeRoom();
    await written;
  });
}

Deno.test("Terminal.print() drops the oldest of more than 1 MiB while its output takes nothing, and says so", async () => {
  const { promise: room, resolve: makeRoom } = Promise.withResolvers<void>();
  const file = new FakeFile();
  file.room = room;
  using terminal = new Terminal({ input: new PassThrough(), output: new AsyncOutput(file) });
  const line = "x".repeat(1023);
  const print = async (count: number) => {
    for (let i = 0; i < count; i++) terminal.print(line);
    await new Promise((resolve) => setTimeout(resolve));
  };

  await print(1);
  await print(1024);
  await print(1024);
  terminal.print("last");
  makeRoom();
  await terminal.written();

  const lines = file.text.split("\n");
  const dropped = Number(
    /\n\((\d+) lines dropped: the output was not read\)\n/.exec(file.text)?.[1],
  );
  assertEquals(lines.filter((text) => text === line).length + dropped, 1 + 1024 + 1024);
  assertEquals([dropped > 1024, dropped < 1600, lines.at(-2)], [true, true, "last"]);
});

Deno.test("Terminal.written() waits 1 s for an output that takes nothing once it is closed", async () => {
  using time = new FakeTime();
  const file = new FakeFile();
  file.room = new Promise(() => {});
  const terminal = new Terminal({ input: new PassThrough(), output: new AsyncOutput(file) });
  terminal.print("lost");
  terminal.close();

  const written = terminal.written();
  await time.tickAsync(1000);

  await written;
});
