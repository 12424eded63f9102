import { assert, assertEquals, assertRejects } from "@std/assert";
import { clientModules, moduleHandler } from "../../../tools/share/client_modules.ts";
import { FILES, testWith } from "../../support/permissions.ts";

const CHECKOUT = new URL("../../../", import.meta.url);

const MODULES = new Map([["/client/main.ts", "console.log(1);\n"]]);

function get(path: string, method = "GET"): Response {
  return moduleHandler(MODULES)(new Request(`http://127.0.0.1:8000${path}`, { method }));
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

Deno.test("moduleHandler() gives a module as TypeScript", async () => {
  const response = get("/client/main.ts?anything");

  assertEquals(response.status, 200);
  assertEquals(response.headers.get("content-type"), "application/typescript; charset=utf-8");
  assertEquals(await response.text(), "console.log(1);\n");
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
  Deno.test(`moduleHandler() does not find ${path}`, async () => {
    const response = get(path);

    assertEquals(response.status, 404);
    await response.body?.cancel();
  });
}

Deno.test("moduleHandler() refuses to be written to", async () => {
  const response = get("/client/main.ts", "PUT");

  assertEquals(response.status, 405);
  await response.body?.cancel();
});
