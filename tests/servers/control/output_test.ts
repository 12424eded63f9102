import { setImmediate } from "node:timers";
import { assertEquals } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { endOutput, plainOutput, printLine, reasonOf } from "../../../servers/control/output.ts";
import { PROCESSES, testWith } from "../../support/permissions.ts";
import { runServer } from "../../../tools/shared/server_process.ts";

/** A file that takes three bytes at a time; while `error` is set, none. */
function file() {
  const decoder = new TextDecoder();
  return {
    text: "",
    error: undefined as Error | undefined,
    writeSync(bytes: Uint8Array): number {
      if (this.error) throw this.error;
      this.text += decoder.decode(bytes.subarray(0, 3));
      return Math.min(3, bytes.length);
    },
    // deno-lint-ignore require-await -- what it throws is to be a rejection
    async write(bytes: Uint8Array): Promise<number> {
      return this.writeSync(bytes);
    },
  };
}

/** Settles when all promises have that can. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

Deno.test("plainOutput() drops what a full disk does not take, and writes again later", async () => {
  const to = file();
  const output = plainOutput(to);
  const write = async (text: string) => {
    output.write(text);
    await settled();
  };

  await write("first ");
  to.error = new Error("No space left on device");
  await write("second ");
  to.error = undefined;
  await write("third");

  assertEquals([to.text, output.writable], ["first third", true]);
  await endOutput(output);
});

Deno.test("plainOutput() tells that nobody reads its pipe any more", async () => {
  const to = file();
  const output = plainOutput(to);
  const failed = new Promise((resolve) => output.on("error", resolve));

  to.error = new Deno.errors.BrokenPipe("Broken pipe");
  output.write("lost");

  assertEquals(await failed, to.error);
  assertEquals(output.writable, false);
});

Deno.test("plainOutput() keeps 1 MiB for a pipe that is full, and endOutput() waits for it 1 s", async () => {
  using time = new FakeTime();
  const { promise: room, resolve: makeRoom } = Promise.withResolvers<void>();
  let writtenBytes = 0;
  const output = plainOutput({
    async write({ length }) {
      await room;
      writtenBytes += length;
      return length;
    },
  });
  const text = "x".repeat(600 * 1024);
  for (let i = 0; i < 4; i++) output.write(text);

  const ended = endOutput(output);
  await time.tickAsync(1000);
  await ended;
  makeRoom();
  await settled();

  assertEquals(writtenBytes, 2 * text.length);
});

Deno.test("printLine() writes a whole line, or none and no error", () => {
  const to = file();

  printLine(to, "Listening");
  to.error = new Error("No space left on device");
  printLine(to, "lost");

  assertEquals(to.text, "Listening\n");
});

const { NotCapable } = Deno.errors;
const NET = 'Requires net access to "192.0.2.7:9090", run again with the --allow-net flag';
const READ = 'Requires read access to "/etc", run again with the --allow-read flag';

Deno.test("reasonOf() says where a task may listen", () => {
  assertEquals(
    reasonOf(new NotCapable(`Cannot listen on 192.0.2.7: ${NET}`)),
    "Cannot listen on 192.0.2.7: this task may listen on this machine, as --host 127.0.0.1, localhost or ::1, " +
      "and for the whole network on --host 0.0.0.0, or :: with IPv6",
  );
});

Deno.test("reasonOf() says which files a task may use, also where the refusal is a cause", () => {
  const expected = "Cannot use --cert /etc/x: this task may use files below data/ only, " +
    "as --data data/second or --log data/my.log";

  assertEquals(reasonOf(new NotCapable(`Cannot use --cert /etc/x: ${READ}`)), expected);
  const cause = new NotCapable(READ);
  assertEquals(reasonOf(new Error(`Cannot use --cert /etc/x: ${READ}`, { cause })), expected);
});

Deno.test("reasonOf() gives any other message as it is", () => {
  assertEquals(reasonOf(new Error(NET)), NET);
  assertEquals(reasonOf("thrown"), "thrown");
});

for (
  const flags of [
    ["--host", "192.0.2.7"],
    ["--host", "nosuchhost.invalid"],
    ["--data", "../elsewhere"],
    ["--log", "/etc/passwd"],
    ["--cert", "/etc/passwd", "--key", "/etc/passwd"],
  ]
) {
  testWith(PROCESSES, `main.ts ${flags.join(" ")} says what its task may do`, async () => {
    const { out, err } = await runServer("echo", "--port=0", ...flags);

    assertEquals(out, "");
    assertEquals(/^Cannot [^\n]+: this task may [^\n]+\n$/.test(err), true, err);
  });
}
