import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { prepareStd, type PrepareStdOptions, readyFolder } from "../../../tools/std/std.ts";
import { deno } from "../../support/deno.ts";
import { FILES, PROCESSES, testWith } from "../../support/permissions.ts";

const PROJECT = `${import.meta.dirname}/../../..`;
const NOWHERE = "http://127.0.0.1:0"; // a port where no program can listen
const FOLDER = "http_127.0.0.1_0";
const NET = `${FOLDER}/@std/net`;
const REAL = '{ "latest": "9.9.9" }';

/** A checkout of what matters here, in a folder of its own. */
class Checkout implements Disposable {
  readonly root = Deno.makeTempDirSync();
  fetches = 0;
  readonly printed: string[] = [];

  constructor() {
    Deno.copyFileSync(`${PROJECT}/deno.json`, `${this.root}/deno.json`);
    copyFolder(`${PROJECT}/tools/std`, `${this.root}/tools/std`);
  }

  /** Runs the task without a network, unless told otherwise. */
  prepare(options: Partial<PrepareStdOptions> = {}): Promise<string | undefined> {
    return prepareStd({
      root: this.root,
      refresh: false,
      mirror: NOWHERE,
      timeoutMs: 60_000,
      print: (line) => this.printed.push(line),
      fetchAll: () => {
        this.fetches++;
        return Promise.resolve(false);
      },
      ...options,
    });
  }

  /** The file that says that vendor/ is ready. */
  async mark(mirror = NOWHERE): Promise<string> {
    return `${this.root}/${await readyFolder(this.root)}/${mirror}/ok`;
  }

  marks(): string[] {
    const names = [...Deno.readDirSync(`${this.root}/vendor`)].map(({ name }) => name);
    return names.filter((name) => /^\.[0-9a-f]{6}$/.test(name));
  }

  read(path: string): string {
    return Deno.readTextFileSync(`${this.root}/vendor/${path}`);
  }

  /** What `deno cache` does: it keeps the packages below the folder of a registry. */
  fetcher(folder: string) {
    return (specifiers: string[]) => {
      for (const specifier of specifiers) {
        const [, name] = /^jsr:@std\/([a-z]+)@/.exec(specifier)!;
        const target = `${this.root}/vendor/${folder}/@std/${name}`;
        Deno.mkdirSync(target, { recursive: true });
        Deno.writeTextFileSync(`${target}/meta.json`, REAL);
      }
      return Promise.resolve(true);
    };
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.root, { recursive: true });
  }
}

function copyFolder(from: string, to: string): void {
  Deno.mkdirSync(to, { recursive: true });
  for (const { name, isDirectory } of Deno.readDirSync(from)) {
    if (isDirectory) copyFolder(`${from}/${name}`, `${to}/${name}`);
    else Deno.copyFileSync(`${from}/${name}`, `${to}/${name}`);
  }
}

function fakeJsr(answer: (request: Request) => Response) {
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, answer);
  const { port } = server.addr;
  return {
    mirror: `http://127.0.0.1:${port}`,
    folder: `http_127.0.0.1_${port}`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

const jsr = () => fakeJsr(() => Response.json({ scope: "std", name: "assert" }));

testWith(
  FILES,
  "prepareStd() fills vendor/ with the subset where JSR is out of reach",
  async () => {
    using checkout = new Checkout();
    const news = String(await checkout.prepare());
    assertStringIncludes(news, `${NOWHERE}/ is out of reach: vendor/ has the offline subset`);
    const { latest } = JSON.parse(checkout.read(`${NET}/meta.json`));
    assertEquals(latest, "1.0.6+offline");
    const { exports } = JSON.parse(checkout.read(`${NET}/${latest}_meta.json`));
    assertEquals(exports, { "./get-network-address": "./get_network_address.ts" });
    assertEquals(
      checkout.read(`${NET}/${latest}/get_network_address.ts`),
      Deno.readTextFileSync(`${PROJECT}/tools/std/net/get_network_address.ts`),
    );
  },
);

testWith(FILES, "prepareStd() does nothing and says nothing when vendor/ is ready", async () => {
  using checkout = new Checkout();
  await checkout.prepare();
  const { fetches } = checkout;
  const before = Deno.statSync(await checkout.mark()).mtime;

  assertEquals(await checkout.prepare(), undefined);
  assertEquals([checkout.fetches, checkout.printed], [fetches, []]);
  assertEquals(Deno.statSync(await checkout.mark()).mtime, before);
});

testWith(FILES, "prepareStd() has Deno fetch every module where JSR is within reach", async () => {
  using checkout = new Checkout();
  await using registry = jsr();
  const asked: unknown[] = [];
  const fetchAll = (specifiers: string[], idleMs: number) => {
    asked.push(...specifiers, idleMs);
    return checkout.fetcher(registry.folder)(specifiers);
  };

  assertEquals(await checkout.prepare({ ...registry, fetchAll }), undefined);

  assert(asked.includes("jsr:@std/assert@^1.0.19"), "the module without a name");
  assert(asked.includes("jsr:@std/log@^0.224.14/file-handler"), "a module with one");
  assertEquals(asked.at(-1), 15_000, "it ends without progress");
  assertEquals(checkout.printed, [`Fetching the standard library from ${registry.mirror}/`]);
  assertEquals(checkout.read(`${registry.folder}/@std/net/meta.json`), REAL);
  assertEquals(Deno.statSync(await checkout.mark(registry.mirror)).isFile, true);
});

testWith(FILES, "prepareStd() takes the subset when JSR stops answering", async () => {
  using checkout = new Checkout();
  await using registry = jsr();

  const news = String(await checkout.prepare(registry));

  assertStringIncludes(news, `${registry.mirror}/ stopped answering: vendor/ has the offline`);
  assertStringIncludes(checkout.read(`${registry.folder}/@std/net/meta.json`), "+offline");
});

testWith(FILES, "prepareStd() is ready for one registry, and not for another", async () => {
  using checkout = new Checkout();
  await checkout.prepare();
  await using registry = jsr();

  await checkout.prepare({ ...registry, fetchAll: checkout.fetcher(registry.folder) });

  assertEquals(checkout.read(`${registry.folder}/@std/net/meta.json`), REAL);
  assertStringIncludes(checkout.read(`${NET}/meta.json`), "+offline");
  const { fetches } = checkout;
  assertEquals([await checkout.prepare(), await checkout.prepare(registry)], [
    undefined,
    undefined,
  ]);
  assertEquals(checkout.fetches, fetches);
});

testWith(FILES, "prepareStd() takes real packages that are there without a network", async () => {
  using checkout = new Checkout();
  assertEquals(await checkout.prepare({ fetchAll: checkout.fetcher(FOLDER) }), undefined);
  assertEquals(checkout.read(`${NET}/meta.json`), REAL);
  assertEquals(checkout.printed, []);

  // Packages that work are never touched.
  Deno.removeSync(await checkout.mark());
  Deno.writeTextFileSync(`${checkout.root}/vendor/${NET}/mine`, "");
  assertEquals(await checkout.prepare({ fetchAll: () => Promise.resolve(true) }), undefined);
  assertEquals(await checkout.prepare(), undefined);
  assertEquals(checkout.read(`${NET}/mine`), "");
});

const portals = {
  "a page": new Response("<h1>Log in</h1>"),
  JSON: Response.json({ error: "log in" }),
};
for (const [what, answer] of Object.entries(portals)) {
  testWith(FILES, `prepareStd() takes ${what} from a captive portal for no JSR`, async () => {
    using checkout = new Checkout();
    await checkout.prepare();
    await using portal = fakeJsr(() => answer);
    const refreshed = checkout.prepare({ ...portal, refresh: true });
    await assertRejects(() => refreshed, Error, `${portal.mirror}/ is out of reach`);
  });
}

const DAMAGED: Record<string, (checkout: Checkout) => unknown> = {
  "real packages that are incomplete": (checkout) =>
    checkout.fetcher(FOLDER)(["jsr:@std/net@1/get-network-address"]),
  "what an interrupted fill left": async (checkout) => {
    await checkout.prepare();
    Deno.removeSync(await checkout.mark());
    Deno.removeSync(`${checkout.root}/vendor/${NET}`, { recursive: true });
  },
  "a package that was removed": async (checkout) => {
    await checkout.prepare();
    Deno.removeSync(`${checkout.root}/vendor/${NET}`, { recursive: true });
  },
};

for (const [what, damage] of Object.entries(DAMAGED)) {
  testWith(FILES, `prepareStd() replaces ${what}`, async () => {
    using checkout = new Checkout();
    await damage(checkout);
    assertStringIncludes(String(await checkout.prepare()), "offline subset");
    assertStringIncludes(checkout.read(`${NET}/meta.json`), "+offline");
  });
}

testWith(FILES, "prepareStd() refuses a JSR_URL that is no URL", async () => {
  using checkout = new Checkout();
  await assertRejects(() => checkout.prepare({ mirror: "mirror" }), Error, 'JSR_URL="mirror"');
});

testWith(FILES, "prepareStd() fills anew when the subset has changed", async () => {
  using checkout = new Checkout();
  await checkout.prepare();
  const file = `${checkout.root}/tools/std/net/get_network_address.ts`;
  Deno.writeTextFileSync(file, "// changed\n");
  await checkout.prepare();
  assertEquals(checkout.read(`${NET}/1.0.6+offline/get_network_address.ts`), "// changed\n");
  assertEquals(checkout.marks().length, 1);
});

testWith(FILES, "prepareStd() leaves no older version when the imports have changed", async () => {
  using checkout = new Checkout();
  await checkout.prepare();
  const config = Deno.readTextFileSync(`${checkout.root}/deno.json`);
  Deno.writeTextFileSync(`${checkout.root}/deno.json`, config.replace("net@^1.0.6", "net@^1.0.7"));
  await checkout.prepare();
  assertEquals(checkout.marks().length, 1);
  const kept = [...Deno.readDirSync(`${checkout.root}/vendor/${NET}`)];
  assertEquals(kept.map(({ name }) => name).sort(), [
    "1.0.7+offline",
    "1.0.7+offline_meta.json",
    "meta.json",
  ]);
});

testWith(FILES, "prepareStd({ refresh }) goes back to the real packages", async () => {
  using checkout = new Checkout();
  await using registry = jsr();
  await checkout.prepare(registry); // stops answering
  const fetchAll = async (specifiers: string[]) => {
    const mark = await checkout.mark(registry.mirror);
    await assertRejects(() => Deno.stat(mark), "an interrupted refresh must not look ready");
    return checkout.fetcher(registry.folder)(specifiers);
  };

  const news = await checkout.prepare({ ...registry, refresh: true, fetchAll });

  assertEquals(news, "vendor/ has the real standard library");
  const kept = [...Deno.readDirSync(`${checkout.root}/vendor/${registry.folder}/@std/net`)];
  assertEquals(kept.map(({ name }) => name), ["meta.json"]);
  assertEquals(await checkout.prepare(registry), undefined);
});

testWith(
  FILES,
  "prepareStd({ refresh }) leaves vendor/ as it is where JSR is out of reach",
  async () => {
    using checkout = new Checkout();
    await checkout.prepare();
    await assertRejects(() => checkout.prepare({ refresh: true }), Error, "is out of reach");
    assertStringIncludes(checkout.read(`${NET}/meta.json`), "+offline");
    assertEquals(await checkout.prepare(), undefined);
  },
);

/** A registry with the packages that `deno.json` names: the subset, with a module of types only in one of them. */
async function registryOfSubset() {
  const { imports } = JSON.parse(Deno.readTextFileSync(`${PROJECT}/deno.json`));
  const bodies = new Map<string, string>();
  for (const range of Object.values<string>(imports)) {
    const [, name = "", version = ""] = /@std\/([a-z]+)@\^(.*)$/.exec(range)!;
    const files = new Map([...Deno.readDirSync(`${PROJECT}/tools/std/${name}`)].map((file) => [
      file.name,
      Deno.readTextFileSync(`${PROJECT}/tools/std/${name}/${file.name}`),
    ]));
    if (name === "net") {
      const main = files.get("get_network_address.ts")!;
      files.set("get_network_address.ts", `export type { Only } from "./_only.ts";\n${main}`);
      files.set("_only.ts", "export type Only = 1;\n");
    }
    const manifest: Record<string, unknown> = {};
    const exports: Record<string, string> = {};
    for (const [file, text] of files) {
      const bytes = new TextEncoder().encode(text);
      const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
      manifest[`/${file}`] = { size: bytes.length, checksum: `sha256-${digest}` };
      const key = file === "mod.ts" ? "." : `./${file.slice(0, -3).replaceAll("_", "-")}`;
      exports[key] = `./${file}`;
      bodies.set(`/@std/${name}/${version}/${file}`, text);
    }
    const meta = { scope: "std", name, latest: version, versions: { [version]: {} } };
    bodies.set(`/@std/${name}/meta.json`, JSON.stringify(meta));
    bodies.set(`/@std/${name}/${version}_meta.json`, JSON.stringify({ manifest, exports }));
  }
  return fakeJsr(({ url }) => {
    const { pathname } = new URL(url);
    const body = bodies.get(pathname);
    const type = pathname.endsWith(".json") ? "application/json" : "text/typescript";
    return new Response(body ?? null, {
      status: body === undefined ? 404 : 200,
      headers: { "content-type": type },
    });
  });
}

const USE = `import { parseArgs } from "@std/cli/parse-args";
import type { Only } from "@std/net/get-network-address";
const { port } = parseArgs(["--port", "80"], { string: ["port"] });
const text: string | undefined = port;
const only: Only = 1;
console.log(text, only);`;

testWith(
  PROCESSES,
  "std.ts fetches all that type checks need from the registry of JSR_URL",
  async () => {
    using checkout = new Checkout();
    Deno.writeTextFileSync(`${checkout.root}/use.ts`, USE);
    let JSR_URL = "";
    const env = () => ({
      JSR_URL,
      NO_PROXY: "127.0.0.1",
      DENO_DIR: `${checkout.root}/cache`,
      NO_COLOR: "1",
    });
    const run = (...args: string[]) => deno(args, { cwd: checkout.root, env: env() });
    {
      await using registry = await registryOfSubset();
      JSR_URL = registry.mirror;
      const { code, err } = await run("task", "-q", "std");
      assertEquals([code, err], [0, `Fetching the standard library from ${JSR_URL}/\n`]);
    }
    assertEquals(await run("run", "-q", "--check", "use.ts"), { code: 0, out: "80 1\n", err: "" });
    assertEquals(await run("task", "-q", "std:ready"), { code: 0, out: "", err: "" });
  },
);

/** Runs the script itself, several at once, behind a proxy that refuses everything. */
testWith(
  PROCESSES,
  "std.ts run by several at once fills vendor/ once, and Deno resolves it",
  async () => {
    using checkout = new Checkout();
    await using proxy = fakeJsr(() => new Response(null, { status: 502 }));
    const env = {
      HTTPS_PROXY: proxy.mirror,
      DENO_DIR: `${checkout.root}/cache`,
      NO_COLOR: "1",
    };
    const run = (...args: string[]) => deno(args, { cwd: checkout.root, env });
    const runs = await Promise.all([1, 2, 3].map(() => run("task", "-q", "std")));
    assertEquals(runs.map(({ code }) => code), [0, 0, 0]);
    const said = runs.map(({ err }) => err).join("");
    assertEquals(said.match(/jsr\.io\/ is out of reach/g)?.length, 1, said);
    Deno.writeTextFileSync(
      `${checkout.root}/use.ts`,
      USE.replace(/import type.*/, "type Only = 1;"),
    );
    assertEquals(await run("run", "-q", "use.ts"), { code: 0, out: "80 1\n", err: "" });
  },
);
