import { assertEquals, assertMatch } from "@std/assert";
import { ServerProcess, taskArgs } from "../../tools/shared/server_process.ts";
import { PROCESSES, testWith } from "../support/permissions.ts";

const STORING = { auth: "auth.db", chat: "chat.db", identify: "identities.json" };

/** Starts a server that should end by itself; one that does not is ended. */
async function run(name: string, data: string) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...taskArgs(name, data), "--data", data, "--port=0"],
    cwd: new URL("../../", import.meta.url),
    stdin: "null",
    env: { NO_COLOR: "1" },
    signal: AbortSignal.timeout(30_000),
  }).output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

for (const [name, file] of Object.entries(STORING)) {
  testWith(PROCESSES, `A second ${name} on one data folder refuses to start`, async () => {
    await using first = await ServerProcess.start(name);

    const { code, out, err } = await run(name, first.data);

    assertEquals([code, out], [1, ""]);
    assertMatch(
      err,
      new RegExp(
        `^Cannot open \\S+/${file}: another server uses it\\. Stop that one, or [^\\n]+\\n$`,
      ),
    );
    const { err: nothing } = await first.stop();
    assertEquals(nothing, "");
  });
}

testWith(PROCESSES, "Servers of different kinds use one data folder side by side", async () => {
  await using chat = await ServerProcess.start("chat");
  const { data } = chat;
  await using auth = await ServerProcess.start("auth", [], { data });
  await using identify = await ServerProcess.start("identify", [], { data });

  for (const { firstLine } of [chat, auth, identify]) assertMatch(firstLine, /^Listening on /);
});

testWith(PROCESSES, "A server that was killed leaves its data folder free", async () => {
  await using first = await ServerProcess.start("chat");
  first.kill("SIGKILL");
  await first.ended();

  await using second = await ServerProcess.start("chat", [], { data: first.data });

  assertMatch(second.firstLine, /^Listening on /);
});

testWith(PROCESSES, "Of two servers that start at once on one data folder, one does", async () => {
  const data = await Deno.makeTempDir();
  {
    const start = () => ServerProcess.start("chat", [], { data });
    const both = await Promise.all([start(), start()]);
    await using _one = both[0];
    await using _other = both[1];
    assertEquals(both.filter(({ firstLine }) => firstLine !== "").length, 1);
  }
  await Deno.remove(data, { recursive: true });
});
