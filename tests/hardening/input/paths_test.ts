import { assertEquals, assertMatch } from "@std/assert";
import type { Ended } from "../../../tools/shared/program.ts";
import { deno } from "../../support/deno.ts";
import { PROCESSES, testInFolder, testWith } from "../../support/permissions.ts";
import { ServerProcess, taskArgs } from "../../../tools/shared/server_process.ts";

/** A data folder, a folder beside it that is none of the server's business, and links that lead there. */
async function folders() {
  const root = await Deno.makeTempDir();
  const [data, outside] = [`${root}/data`, `${root}/outside`];
  await Deno.mkdir(data);
  await Deno.mkdir(outside);
  await Deno.writeTextFile(`${outside}/victim`, "precious");
  await Deno.symlink(outside, `${data}/folder-link`);
  await Deno.symlink(`${outside}/victim`, `${data}/file-link`);
  return {
    data,
    outside,
    /** Every file outside, with its content. Through a link, Deno makes an empty one before it refuses. */
    files: () =>
      Array.from(Deno.readDirSync(outside))
        .filter(({ isFile }) => isFile)
        .map(({ name }) => [name, Deno.readTextFileSync(`${outside}/${name}`)])
        .filter(([, text]) => text !== ""),
    [Symbol.asyncDispose]: () => Deno.remove(root, { recursive: true }),
  };
}

/** Runs a server with the permissions of its task in a data folder; one that starts is ended. */
function run(name: string, data: string, ...flags: string[]): Promise<Ended> {
  const args = [...taskArgs(name, data), "--port=0", ...flags];
  return deno(args, { signal: AbortSignal.timeout(30_000) });
}

const OUTSIDE: Record<string, (data: string, outside: string) => string[]> = {
  "--log outside": (data, outside) => ["--data", data, "--log", `${outside}/victim`],
  "--log up and outside": (data) => ["--data", data, "--log", `${data}/../outside/victim`],
  "--log through a link to a file": (data) => ["--data", data, "--log", `${data}/file-link`],
  "--log through a link to a folder": (
    data,
  ) => ["--data", data, "--log", `${data}/folder-link/x.log`],
  "--data outside": (_data, outside) => ["--data", outside],
  "--data up and outside": (data) => ["--data", `${data}/../outside`],
  "--data through a link": (data) => ["--data", `${data}/folder-link`],
  "--log to a device": (data) => ["--data", data, "--log", "/dev/full"],
  "--log to the process itself": (data) => ["--data", data, "--log", "/proc/self/mem"],
};

for (const [what, flags] of Object.entries(OUTSIDE)) {
  testWith(
    PROCESSES,
    `chat ${what} is refused in one line, and nothing there is changed`,
    async () => {
      await using place = await folders();

      const { code, out, err } = await run("chat", place.data, ...flags(place.data, place.outside));

      assertEquals([code, out], [1, ""]);
      assertMatch(
        err,
        /^Cannot open the log file [^\n]+: this task may use files below data\/ only[^\n]+\n$/,
      );
      assertEquals(place.files(), [["victim", "precious"]]);
    },
  );
}

for (
  const file of ["chat.db", "chat.db-wal", "auth.db-shm", "identities.json", "key.pem", "CHAT.DB"]
) {
  testWith(
    PROCESSES,
    `chat --log data/${file} is refused, for it is not a file of a log`,
    async () => {
      await using place = await folders();
      await Deno.writeTextFile(`${place.data}/${file}`, "precious");
      const log = `${place.data}/${file}`;

      const { code, out, err } = await run("chat", place.data, "--data", place.data, "--log", log);

      assertEquals([code, out], [2, ""]);
      assertMatch(err, /^Cannot use --log [^\n]+: give a file of its own, such as chat\.log\n$/);
      assertEquals(await Deno.readTextFile(log), "precious");
    },
  );
}

testWith(PROCESSES, "chat shows control characters of a path, and does not obey them", async () => {
  await using place = await folders();
  const { code, err } = await run("chat", place.data, "--log", "/no\x1b[2J\n\u202e/x.log");

  assertEquals(code, 1);
  assertMatch(err, /^Cannot open the log file \/no\\x1b\[2J\\n\\u\{202e\}\/x\.log: [ -~]+\n$/);
});

const STORING = { auth: "auth.db", chat: "chat.db", identify: "identities.json" };

for (const [name, file] of Object.entries(STORING)) {
  testWith(PROCESSES, `A second ${name} on one data folder refuses to start`, async () => {
    await using first = await ServerProcess.start(name);

    const { code, out, err } = await run(name, first.data, "--data", first.data);

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

testInFolder("Of two servers that start at once on one data folder, one does", async (data) => {
  {
    const start = () => ServerProcess.start("chat", [], { data });
    const both = await Promise.all([start(), start()]);
    await using _one = both[0];
    await using _other = both[1];
    assertEquals(both.filter(({ firstLine }) => firstLine !== "").length, 1);
  }
}, PROCESSES);
