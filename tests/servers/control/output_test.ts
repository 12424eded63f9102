import { assertEquals } from "@std/assert";
import { plainOutput, printLine } from "../../../servers/control/output.ts";

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
  };
}

Deno.test("plainOutput() drops what a full disk does not take, and writes again later", () => {
  const to = file();
  const output = plainOutput(to);

  output.write("first ");
  to.error = new Error("No space left on device");
  output.write("second ");
  to.error = undefined;
  output.write("third");

  assertEquals([to.text, output.writable], ["first third", true]);
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

Deno.test("printLine() writes a whole line, or none and no error", () => {
  const to = file();

  printLine(to, "Listening");
  to.error = new Error("No space left on device");
  printLine(to, "lost");

  assertEquals(to.text, "Listening\n");
});
