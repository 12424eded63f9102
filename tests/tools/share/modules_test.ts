import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { memoryConnPair } from "../../../lib/conn/memory_conn.ts";
import { answer, clientModules, responseTo } from "../../../tools/share/modules.ts";
import { FILES, testWith } from "../../support/permissions.ts";

const CHECKOUT = new URL("../../../", import.meta.url);

const MODULES = new Map([["/client/main.ts", "console.log(1);\n"]]);

/** The text of the response to a request. */
function get(path: string, method = "GET"): string {
  const head = `${method} ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;
  return new TextDecoder().decode(responseTo(head, MODULES));
}

testWith(FILES, "clientModules() finds the clients and what they import", async () => {
  const modules = await clientModules(CHECKOUT);

  for (
    const path of ["/client/main.ts", "/client/line/line_client.ts", "/lib/conn/framed_conn.ts"]
  ) {
    assertEquals(modules.get(path), await Deno.readTextFile(new URL(`.${path}`, CHECKOUT)));
  }
});

testWith(
  FILES,
  "clientModules() finds nothing outside client and lib, and nothing unused",
  async () => {
    const modules = await clientModules(CHECKOUT);

    assert([...modules.keys()].every((path) => /^\/(client|lib)\/[\w/]+\.ts$/.test(path)));
    assert(!modules.has("/lib/server/server.ts"));
  },
);

testWith(FILES, "clientModules() follows every form of import, in circles too", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const files = {
      "client/main.ts": 'import {\n  b,\n} from "../lib/b.ts";\nimport "./side.ts";\nb();\n',
      "client/side.ts": 'await import("./late.ts");\n',
      "client/late.ts": "",
      "lib/b.ts": 'export * from "./c.ts";\nimport type { D } from "./d.ts";\n',
      "lib/c.ts": 'import { b } from "./b.ts";\nimport process from "node:process";\n',
      "lib/d.ts": "export type D = 1;\n",
      "lib/unused.ts": "",
    };
    for (const part of ["client", "lib"]) await Deno.mkdir(`${folder}/${part}`);
    for (const [path, text] of Object.entries(files)) {
      await Deno.writeTextFile(`${folder}/${path}`, text);
    }

    const modules = await clientModules(new URL(`file://${folder}/`));

    const expected = Object.keys(files).filter((path) => path !== "lib/unused.ts").map((path) =>
      `/${path}`
    );
    assertEquals([...modules.keys()].toSorted(), expected.toSorted());
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

testWith(FILES, "clientModules() rejects when an imported module is missing", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${folder}/client`);
    await Deno.writeTextFile(`${folder}/client/main.ts`, 'import "../lib/none.ts";\n');

    await assertRejects(() => clientModules(new URL(`file://${folder}/`)), Deno.errors.NotFound);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("responseTo() gives a module as TypeScript, and only its head for HEAD", () => {
  const head = "HTTP/1.1 200 OK\r\ncontent-type: application/typescript; charset=utf-8\r\n";

  for (const method of ["GET", "HEAD"]) {
    const text = get("/client/main.ts?anything", method);
    assertEquals(text.startsWith(`${head}content-length: 16\r\n`), true);
    assertEquals(text.endsWith("\r\n\r\nconsole.log(1);\n"), method === "GET");
  }
});

const ELSEWHERE = [
  "/",
  "/client/",
  "/client",
  "/deno.json",
  "/data/names.json",
  "/.git/config",
  "/client/../deno.json",
  "/client/%2e%2e/deno.json",
  "/client/..%2fdeno.json",
  "//client/main.ts",
  "/client/main.ts/",
  "/client/main.ts%00",
  "/CLIENT/main.ts",
  "/constructor",
];

for (const path of ELSEWHERE) {
  Deno.test(`responseTo() does not find ${path}`, () => {
    assertMatch(get(path), /^HTTP\/1\.1 404 /);
  });
}

Deno.test("responseTo() refuses what is not a request to read", () => {
  assertMatch(get("/client/main.ts", "PUT"), /^HTTP\/1\.1 405 /);
  assertMatch(get("http://elsewhere/client/main.ts"), /^HTTP\/1\.1 400 /);
  assertMatch(new TextDecoder().decode(responseTo("\x1b[2J\r\n\r\n", MODULES)), /^HTTP\/1\.1 400 /);
});

Deno.test("answer() closes a connection whose request stays incomplete", async () => {
  using time = new FakeTime();
  const [client, server] = memoryConnPair();
  await client.write(new TextEncoder().encode("GET /client/main.ts HTTP/1.1\r\nX: "));
  const answered = answer(server, MODULES, { timeoutMs: 10_000 });

  await time.tickAsync(9_999);
  const buffer = new Uint8Array(10);
  const read = client.read(buffer);
  await time.tickAsync(1);
  await answered;

  assertEquals(await read.catch(() => null), null);
  client.close();
});

Deno.test("answer() refuses a head of more than 8 KiB", async () => {
  const [client, server] = memoryConnPair();
  const answered = answer(server, MODULES);
  await client.write(new TextEncoder().encode(`GET / HTTP/1.1\r\nX: ${"a".repeat(9_000)}`));
  await client.closeWrite();

  assertMatch(await new Response(client.readable).text(), /^HTTP\/1\.1 400 /);
  await answered;
});
