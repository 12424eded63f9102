import { assertEquals, assertRejects } from "@std/assert";
import { DEFAULT_PATH, TokenFile } from "../../../client/chat/token_file.ts";
import { FILES, testWith } from "../../support/permissions.ts";

const SERVER = "127.0.0.1:9090";
const LOGIN = { name: "anna", token: "a", tls: false, data: "d1" };

/** Runs a test with the path of a file in a folder of its own. */
function fileTest(name: string, test: (path: string) => Promise<void>): void {
  testWith(FILES, name, async () => {
    const folder = await Deno.makeTempDir();
    try {
      await test(`${folder}/new/logins.json`);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

async function tokensIn(path: string, server = SERVER): Promise<string[]> {
  return (await new TokenFile(path, server).list()).map(({ token }) => token);
}

fileTest(
  "TokenFile keeps a login for each server, name and data, the last one at the end",
  async (path) => {
    const file = new TokenFile(path, SERVER);
    await file.save(LOGIN);
    await file.save({ ...LOGIN, name: "boris", token: "b" });
    await new TokenFile(path, "[::1]:1").save({ ...LOGIN, token: "c" });
    await file.save({ ...LOGIN, data: "d2", token: "d" });
    await file.save({ ...LOGIN, tls: true, token: "e" });
    await file.save({ ...LOGIN, name: "ANNA", token: "f" });

    assertEquals(await tokensIn(path), ["b", "d", "e", "f"]);
    assertEquals(await tokensIn(path, "[::1]:1"), ["c"]);
    assertEquals(await tokensIn(path, "::2"), []);

    await file.remove("a"); // which another login has replaced
    await file.remove("f");
    assertEquals(await tokensIn(path), ["b", "d", "e"]);
  },
);

fileTest("TokenFile keeps what another client saves at the same moment", async (path) => {
  const files = [1, 2].map(() => new TokenFile(path, SERVER));
  const names = Array.from({ length: 20 }, (_, i) => `n${i}`);

  await Promise.all(names.map((name, i) => files[i % 2]!.save({ ...LOGIN, name, token: name })));

  assertEquals((await tokensIn(path)).sort(), names.sort());
});

fileTest("TokenFile keeps the last hundred logins, whatever the clock says", async (path) => {
  await Deno.mkdir(path.replace(/[^/]*$/, ""));
  const entries = Array.from({ length: 100 }, (_, i) => ({
    ...{ server: SERVER, name: `n${i}`, token: `${i}`, tls: false, data: "d1", expires: 1 },
  }));
  await Deno.writeTextFile(path, JSON.stringify(entries));

  await new TokenFile(path, SERVER).save(LOGIN);

  const tokens = await tokensIn(path);
  assertEquals([tokens.length, tokens[0], tokens.at(-1)], [100, "1", "a"]);
});

fileTest("TokenFile is readable by its owner only", async (path) => {
  await new TokenFile(path, SERVER).save(LOGIN);

  const { mode } = await Deno.stat(path);
  if (Deno.build.os !== "windows") assertEquals(mode! & 0o777, 0o600);
});

fileTest("TokenFile replaces nothing that is not a list of logins", async (path) => {
  await Deno.mkdir(path.replace(/[^/]*$/, ""));
  const file = new TokenFile(path, SERVER);
  for (const text of ["SQLite format 3\0", "[", "null", '{"a":1}', "[null]", '[{"server":"s"}]']) {
    await Deno.writeTextFile(path, text);

    await assertRejects(() => file.check(), TypeError, "it is not a list of logins");
    await assertRejects(() => file.save(LOGIN), TypeError, "Give --session another file");
    assertEquals(await Deno.readTextFile(path), text);
  }
  await Deno.remove(path);
  await Deno.mkdir(path);
  await assertRejects(() => file.check(), TypeError, "it is not a list of logins");
});

fileTest("TokenFile reads a file with a byte order mark", async (path) => {
  await Deno.mkdir(path.replace(/[^/]*$/, ""));
  await Deno.writeTextFile(path, `\ufeff${JSON.stringify([{ server: SERVER, ...LOGIN }])}\r\n`);

  assertEquals(await tokensIn(path), ["a"]);
});

fileTest(
  "TokenFile gives no login whose name would confuse the terminal, nor one without a limit",
  async (path) => {
    await Deno.mkdir(path.replace(/[^/]*$/, ""));
    const entries = [
      { name: "\x1b]52;c;x\x07anna", token: "t" },
      { name: "a b", token: "t" },
      { name: "anna", token: "t".repeat(1000) },
      { name: "boris", token: "b" },
    ].map((entry) => ({ server: SERVER, ...entry }));
    await Deno.writeTextFile(path, JSON.stringify(entries));

    assertEquals(await tokensIn(path), ["b"]);
  },
);

Deno.test({
  name: "TokenFile keeps nothing without permission, asks for none, and says which flags keep it",
  permissions: { read: false, write: false },
  async fn() {
    const file = new TokenFile("data/logins.json", SERVER);

    await file.check();
    await assertRejects(() => file.save(LOGIN), Error, "--allow-read=data --allow-write=data");
    await file.remove("a");
    assertEquals(await file.list(), []);
  },
});

testWith(
  FILES,
  "TokenFile makes the folder of its default file private, and no other",
  async () => {
    if (Deno.build.os === "windows") return;
    const before = Deno.cwd();
    Deno.chdir(await Deno.makeTempDir());
    try {
      for (const folder of ["data", "own"]) await Deno.mkdir(folder);
      for (const folder of ["data", "own"]) await Deno.chmod(folder, 0o755);

      for (const path of [DEFAULT_PATH, "own/logins.json"]) {
        await new TokenFile(path, SERVER).save(
          LOGIN,
        );
      }

      const modes = ["data", "own"].map((folder) => Deno.statSync(folder).mode! & 0o777);
      assertEquals(modes, [0o700, 0o755]);
    } finally {
      await Deno.remove(Deno.cwd(), { recursive: true });
      Deno.chdir(before);
    }
  },
);
