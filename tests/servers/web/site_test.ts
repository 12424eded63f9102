import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { serve, type Server } from "../../../lib/server/server.ts";
import { httpProtocol } from "../../../lib/web/http_conn.ts";
import { echo } from "../../../servers/echo.ts";
import { readWebFiles, type WebFiles } from "../../../servers/web/files.ts";
import { readModules } from "../../../servers/web/modules.ts";
import { ExerciseSite } from "../../../servers/web/site.ts";
import { FILES, testWith } from "../../support/permissions.ts";

const CHECKOUT = new URL("../../../", import.meta.url);

function serveSite(name = "chat"): Server {
  return serve(echo, { port: 0, http: httpProtocol(new ExerciseSite(name, "127.0.0.1")) });
}

/** Sends a request as it stands, and gives the whole response. */
async function ask(server: Server, path: string, headers = ""): Promise<string> {
  using conn = await Deno.connect({ port: server.addr.port, hostname: "127.0.0.1" });
  const head = `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n${headers}\r\n`;
  await conn.write(new TextEncoder().encode(head));
  let text = "";
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(16 * 1024);
  for (let n; (n = await conn.read(buffer)) !== null;) {
    text += decoder.decode(buffer.subarray(0, n));
  }
  return text;
}

async function textAt(files: WebFiles, path: string): Promise<string | undefined> {
  const file = files.get(path);
  return file && await new Response(file.body).text();
}

/** Makes a folder with these files, calls `run` with its URL, and removes it. */
async function inFolder(files: Record<string, string>, run: (root: URL) => Promise<void> | void) {
  const folder = await Deno.makeTempDir();
  try {
    for (const [path, text] of Object.entries(files)) {
      await Deno.mkdir(`${folder}/${path.replace(/\/[^/]*$/, "")}`, { recursive: true });
      await Deno.writeTextFile(`${folder}/${path}`, text);
    }
    await run(new URL(`file://${folder}/`));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

testWith(FILES, "A server has the clients and what they import, as they are", async () => {
  const files = await readWebFiles(CHECKOUT, "echo");
  const version = await textAt(files, "/version");

  for (const path of ["client/main.ts", "client/line/line_client.ts", "lib/conn/framed_conn.ts"]) {
    const source = await Deno.readTextFile(new URL(path, CHECKOUT));
    assertEquals(await textAt(files, `/v/${version}/${path}`), source);
  }
});

testWith(
  FILES,
  "A server has nothing outside client, lib and pages, and nothing unused",
  async () => {
    const files = await readWebFiles(CHECKOUT, "chat");

    const versioned =
      /^\/(?:v|web)\/[0-9a-f]{16}\/(?:(?:client|lib)\/[\w/]+\.ts|pages\/\w+\.(?:css|svg))$/;
    const rest = [...files.keys()].filter((path) => !versioned.test(path));
    const programs = ["/chat", "/client", "/client/chat.ts", "/client/main.ts"];
    assertEquals(rest.sort(), ["/", ...programs, "/version"]);
    for (
      const unused of ["/lib/server/server.ts", "/lib/store/database.ts", "/lib/web/http_conn.ts"]
    ) {
      assert(![...files.keys()].some((path) => path.endsWith(unused)), unused);
    }
  },
);

testWith(FILES, "readModules() follows every form of import, in circles too", async () => {
  const files = {
    "client/main.ts": 'import {\n  b,\n} from "../lib/b.ts";\nimport "./side.ts";\nb();\n',
    "client/side.ts": 'await import("./late.ts");\n',
    "client/late.ts": "",
    "lib/b.ts": 'export * from "./c.ts";\nimport type { D } from "./d.ts";\n',
    "lib/c.ts": 'import { b } from "./b.ts";\nimport process from "node:process";\n',
    "lib/d.ts": "export type D = 1;\n",
    "lib/unused.ts": "",
  };
  await inFolder(files, (root) => {
    const modules = readModules(root, ["client/main.ts"]);

    const expected = Object.keys(files).filter((path) => path !== "lib/unused.ts");
    assertEquals([...modules.keys()].toSorted(), expected.toSorted());
  });
});

const ASTRAY = {
  "is missing": ["../lib/none.ts", Deno.errors.NotFound],
  "is a server's": ["../servers/main.ts", TypeError],
  "is in data": ["../data/secret.ts", TypeError],
  "is above": ["../../secret.ts", TypeError],
  "is no TypeScript": ["./names.json", TypeError],
} as const;

for (const [what, [path, error]] of Object.entries(ASTRAY)) {
  testWith(FILES, `readModules() throws when an imported file ${what}`, async () => {
    const files = {
      "client/main.ts": `import "${path}";\n`,
      "servers/main.ts": "",
      "data/secret.ts": "",
      "client/names.json": "{}",
    };
    await inFolder(files, (root) => {
      assertThrows(() => readModules(root, ["client/main.ts"]), error);
    });
  });
}

testWith(
  FILES,
  "The page names its modules, which are JavaScript, and has paths that change with them",
  async () => {
    const script = '<script type="module" src="{{ web }}/client/web/page/page.ts"></script>';
    const files = {
      "client/main.ts": "",
      "client/chat.ts": "",
      "pages/chat.html": `<title>{{ server }}</title>{{ modules }}${script}`,
      "pages/exercise.html": `<p>{{ server }}{{ modules }}${script}`,
      "client/web/page/page.ts": 'import { n } from "../../../lib/n.ts";\nlet m: number = n;\n',
      "client/web/page/other.ts": "",
      "pages/style.css": "a{}",
      "pages/icon.svg": "<svg/>",
      "lib/n.ts": "export const n: number = 1;\n",
    };
    await inFolder(files, async (root) => {
      const echo = await readWebFiles(root, "echo");
      const chat = await readWebFiles(root, "chat");
      const page = await textAt(chat, "/") ?? "";
      const [, web = ""] = /src="(.*)\/client\//.exec(page) ?? [];

      assertMatch(page, /^<title>chat<\/title><link rel="modulepreload"/);
      assertMatch(await textAt(echo, "/") ?? "", /^<p>echo<link/);
      const named = [...page.matchAll(/modulepreload" href="(.*?)"/g)].map(([, path]) => path!);
      assertEquals(named, [`${web}/client/web/page/page.ts`, `${web}/lib/n.ts`]);
      assertMatch(await textAt(chat, named[0]!) ?? "", /let m\s+= n;/);
      assertMatch(await textAt(chat, named[1]!) ?? "", /export const n\s+= 1;/);
      assertEquals(chat.get(named[1]!)?.type, "text/javascript; charset=utf-8");
      assertEquals(chat.get(`${web}/pages/style.css`)?.type, "text/css; charset=utf-8");

      await Deno.writeTextFile(new URL("lib/n.ts", root), "export const n: number = 2;\n");
      const changed = await readWebFiles(root, "chat");
      assert(!changed.has(named[0]!));
      assert(!page.includes("{{"));
    });
  },
);

const ELSEWHERE = [
  "/nothing",
  "/client/",
  "/deno.json",
  "/servers/main.ts",
  "/data/names.json",
  "/data/README.md",
  "/.git/config",
  "/client/../deno.json",
  "/client/%2e%2e/deno.json",
  "/client/..%2fdeno.json",
  "/client/./main.ts",
  "/client\\main.ts",
  "//client/main.ts",
  "/client//main.ts",
  "/client/main.ts/",
  "/client/main.ts%00",
  "/%63lient/main.ts",
  "/CLIENT/main.ts",
  "/web/client/../../deno.json",
  "/web/servers/main.ts",
  "/v/0000000000000000/client/main.ts",
  "/constructor",
  "/__proto__",
];

testWith(FILES, "A path that is not one of the files, letter by letter, is not found", async () => {
  await using server = serveSite();

  for (const path of ELSEWHERE) {
    assertMatch(await ask(server, path), /^HTTP\/1\.1 404 /, path);
  }
});

testWith(FILES, "A browser that has the newest file is told so, and gets no body", async () => {
  await using server = serveSite();
  const response = await ask(server, "/client/main.ts?anything");
  const tag = /^etag: (.*)\r$/m.exec(response)?.[1];

  const again = await ask(server, "/client/main.ts", `If-None-Match: ${tag}\r\n`);

  assertMatch(response, /^HTTP\/1\.1 200 [^]*\r\ncache-control: no-cache\r\n/);
  assertMatch(again, /^HTTP\/1\.1 304 [^]*\r\n\r\n$/);
  const [, path = ""] = /modulepreload" href="(.*?)"/.exec(await ask(server, "/")) ?? [];
  assertMatch(
    await ask(server, path),
    /\r\ncache-control: public, max-age=31536000, immutable\r\n/,
  );
});

testWith(FILES, "Files that could not be read are read at the next request", async () => {
  await inFolder({ "client/main.ts": "" }, async (root) => {
    const site = new ExerciseSite("echo", "127.0.0.1", { root });
    const request = {
      method: "GET",
      path: "/version",
      headers: new Map(),
      isSecure: false,
    } as const;
    await assertRejects(async () => await site.respond(request, "127.0.0.1"), Deno.errors.NotFound);

    await Deno.writeTextFile(new URL("client/chat.ts", root), "");
    await Deno.mkdir(new URL("pages", root));
    await Deno.mkdir(new URL("client/web", root));
    await Deno.writeTextFile(new URL("client/web/page.ts", root), "");
    const page = '<script type="module" src="{{ web }}/client/web/page.ts">';
    for (const [name, text] of [["exercise.html", page], ["icon.svg", ""], ["style.css", ""]]) {
      await Deno.writeTextFile(new URL(`pages/${name}`, root), text!);
    }

    assertEquals((await site.respond(request, "127.0.0.1"))?.body?.length, 16);
  });
});
