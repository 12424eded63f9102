import { assertEquals } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { linesPrinted, printLine, reasonOf } from "../../../servers/control/output.ts";
import { PROCESSES, testWith } from "../../support/permissions.ts";
import { runServer } from "../../../tools/shared/server_process.ts";

Deno.test("printLine() writes a whole line, or none and no error", async () => {
  let text = "";
  const slow = {
    write(bytes: Uint8Array): Promise<number> {
      text += new TextDecoder().decode(bytes.subarray(0, 3));
      return Promise.resolve(Math.min(3, bytes.length));
    },
  };
  const full = { write: () => Promise.reject(new Error("No space left on device")) };

  printLine(slow, "Listening");
  printLine(full, "lost");
  await linesPrinted();

  assertEquals(text, "Listening\n");
});

Deno.test("linesPrinted() waits 1 s for a reader that takes nothing", async () => {
  using time = new FakeTime();
  const { promise, resolve } = Promise.withResolvers<number>();
  printLine({ write: () => promise }, "a");

  const printed = linesPrinted();
  await time.tickAsync(1000);

  await printed;
  resolve(2);
  await linesPrinted();
});

const { NotCapable } = Deno.errors;
const NET = 'Requires net access to "192.0.2.7:9090", run again with the --allow-net flag';
const READ = 'Requires read access to "/etc", run again with the --allow-read flag';

const FILES_ONLY = "Cannot use --cert /etc/x: this task may use files below data/ only, " +
  "as --data data/second or --log data/my.log";
const REASONS: [error: unknown, reason: string][] = [
  [
    new NotCapable(`Cannot listen on 192.0.2.7: ${NET}`),
    "Cannot listen on 192.0.2.7: this task may listen on this machine, as --host 127.0.0.1, localhost or ::1, " +
    "and for the whole network on --host 0.0.0.0, or :: with IPv6",
  ],
  [new NotCapable(`Cannot use --cert /etc/x: ${READ}`), FILES_ONLY],
  [new Error(`Cannot use --cert /etc/x: ${READ}`, { cause: new NotCapable(READ) }), FILES_ONLY],
  [new Error(NET), NET],
  ["thrown", "thrown"],
];

Deno.test("reasonOf() says what a task may use, and gives any other message as it is", () => {
  for (const [error, reason] of REASONS) assertEquals(reasonOf(error), reason);
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
