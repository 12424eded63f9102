import { assertEquals, assertRejects } from "@std/assert";
import { createInterface } from "node:readline";
import { PassThrough } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { askHost, askPort } from "../../lib/question.ts";
import { ReadlineAsker } from "../../lib/readline_asker.ts";

/** An input to write to, and everything shown. */
function streams(): { input: PassThrough; output: PassThrough; shown: () => string } {
  const input = new PassThrough(), output = new PassThrough();
  const chunks: string[] = [];
  output.on("data", (chunk) => chunks.push(`${chunk}`));
  return { input, output, shown: () => chunks.join("") };
}

/** The same, as a terminal: keys are echoed and control characters mean something. */
function terminal(): ReturnType<typeof streams> {
  const all = streams();
  Object.assign(all.output, { isTTY: true, columns: 80 });
  return all;
}

/** What the next reader of the input gets. */
async function remainingLines(input: PassThrough): Promise<string[]> {
  input.end();
  return await Array.fromAsync(createInterface({ input }));
}

Deno.test("ReadlineAsker.line() gives lines piped in one chunk to the questions in order", async () => {
  const { input, output, shown } = streams();
  using asker = new ReadlineAsker({ input, output });
  input.write("abc\n\nlocalhost\n");

  assertEquals(await askPort(asker), 9090);
  assertEquals(await askHost(asker), "localhost");

  assertEquals(
    shown(),
    'Port [9090]: Cannot use "abc" as a port: give a whole number from 1 to 65535\n',
  );
});

Deno.test("ReadlineAsker.line() waits for a line that comes in pieces", async () => {
  const { input, output } = streams();
  using asker = new ReadlineAsker({ input, output });

  const port = askPort(asker);
  for (const piece of ["80", "8", "1\r", "\n"]) input.write(piece);

  assertEquals(await port, 8081);
});

Deno.test("ReadlineAsker.line() is null at the end of input, then without a prompt", async () => {
  const { input, output, shown } = streams();
  using asker = new ReadlineAsker({ input, output });
  input.end();

  assertEquals([await asker.line("a "), await asker.line("b ")], [null, null]);

  assertEquals(shown(), "a ");
});

Deno.test("ReadlineAsker.line() gives a last line without a newline", async () => {
  const { input, output } = streams();
  using asker = new ReadlineAsker({ input, output });
  input.end("8081");

  assertEquals(await askPort(asker), 8081);
});

Deno.test("ReadlineAsker.line() is null on an input that has ended before", async () => {
  const { input, output } = streams();
  input.end();
  await Array.fromAsync(input);

  using asker = new ReadlineAsker({ input, output });

  assertEquals(await asker.line("a "), null);
});

Deno.test("ReadlineAsker leaves the lines it was not asked for to the next reader", async () => {
  const { input, output } = streams();
  {
    using asker = new ReadlineAsker({ input, output });
    input.write("9091\nhello\n\nhalf ");
    input.write(new Uint8Array([0xd0]));
    assertEquals(await askPort(asker), 9091);
    input.write(new Uint8Array([0xb6]));
    input.write(" line\nlast\n");
  }

  assertEquals(await remainingLines(input), ["hello", "", "half ж line", "last"]);
});

Deno.test("ReadlineAsker does not read a pipe to its end to get one line", async () => {
  const { input, output } = streams();
  {
    using asker = new ReadlineAsker({ input, output });
    input.write("9091\n");
    assertEquals(await askPort(asker), 9091);
    input.end("hello\n");
    await setImmediate();
  }

  assertEquals(await remainingLines(input), ["hello"]);
});

Deno.test("ReadlineAsker disposed of while it asks gives back the half line", async () => {
  const { input, output } = streams();
  const asker = new ReadlineAsker({ input, output });
  const answer = asker.line("a ");
  input.write("ha");
  await setImmediate();
  input.write("lf");
  await setImmediate();

  asker[Symbol.dispose]();

  assertEquals(await answer, null);
  assertEquals(input.listenerCount("data"), 0);
  assertEquals(await remainingLines(input), ["half"]);
});

Deno.test("ReadlineAsker shows nothing more when it is disposed of", async () => {
  const { input, output, shown } = terminal();
  const asker = new ReadlineAsker({ input, output });
  const port = askPort(asker);
  input.write("9091\r");
  await port;
  const before = shown();

  asker[Symbol.dispose]();
  await setImmediate();

  assertEquals(shown().slice(before.length), "");
});

Deno.test("ReadlineAsker leaves an input alone that nobody was asked on", async () => {
  const { input, output } = streams();
  input.write("hello\n");
  new ReadlineAsker({ input, output })[Symbol.dispose]();

  assertEquals(await remainingLines(input), ["hello"]);
});

Deno.test("ReadlineAsker.line() edits a line on a terminal", async () => {
  const { input, output } = terminal();
  using asker = new ReadlineAsker({ input, output });

  const port = askPort(asker);
  input.write("80899x");
  input.write("\x7f\x7f\x7f1\r");

  assertEquals(await port, 8081);
});

Deno.test("ReadlineAsker.line() is null after Ctrl-D, on a line of its own", async () => {
  const { input, output, shown } = terminal();
  using asker = new ReadlineAsker({ input, output });

  const port = askPort(asker);
  input.write("\x04");

  assertEquals([await port, await askHost(asker)], [9090, "127.0.0.1"]);
  assertEquals(shown().endsWith("\n"), true);
  assertEquals(shown().includes("Host"), false);
});

Deno.test("ReadlineAsker.line() rejects after Ctrl-C, also the next time", async () => {
  const { input, output } = terminal();
  using asker = new ReadlineAsker({ input, output });

  const port = askPort(asker);
  input.write("80\x03");

  await assertRejects(() => port, Deno.errors.Interrupted, "Cannot ask: Ctrl-C was pressed");
  await assertRejects(() => asker.line("again "), Deno.errors.Interrupted);
});

Deno.test("ReadlineAsker leaves what was typed ahead on a terminal to the next reader", async () => {
  const { input, output } = terminal();
  {
    using asker = new ReadlineAsker({ input, output });
    const port = askPort(asker);
    input.write("9091\rhello\rhal");
    assertEquals(await port, 9091);
  }
  input.write("f\n");

  assertEquals(await remainingLines(input), ["hello", "half"]);
});
