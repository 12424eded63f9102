import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { prepareStd, type PrepareStdOptions, readyMark } from "../../../tools/std/std.ts";
import { FILES, PROCESSES, testWith } from "../../support/permissions.ts";

const PROJECT = `${import.meta.dirname}/../../..`;
const OFFLINE = "jsr.io/@std/net/meta.json";

/** A checkout of what matters here, in a folder of its own. */
class Checkout implements Disposable {
  readonly root = Deno.makeTempDirSync();
  loaded = 0;

  constructor() {
    Deno.copyFileSync(`${PROJECT}/deno.json`, `${this.root}/deno.json`);
    copyFolder(`${PROJECT}/tools/std`, `${this.root}/tools/std`);
  }

  /** Runs the task without a network, unless told otherwise. */
  prepare(options: Partial<PrepareStdOptions> = {}): Promise<string | undefined> {
    return prepareStd({
      root: this.root,
      refresh: false,
      jsrUrl: "http://127.0.0.1:0", // a port that nobody can listen on
      timeoutMs: 60_000,
      load: () => {
        this.loaded++;
        return Promise.reject(new Error("no such module"));
      },
      ...options,
    });
  }

  /** The file that says that vendor/ is ready. */
  async mark(): Promise<string> {
    return `${this.root}/${await readyMark(this.root)}`;
  }

  marks(): string[] {
    const names = [...Deno.readDirSync(`${this.root}/vendor`)].map(({ name }) => name);
    return names.filter((name) => name.startsWith(".ready-"));
  }

  read(path: string): string {
    return Deno.readTextFileSync(`${this.root}/vendor/${path}`);
  }

  /** What Deno does when it loads a module: it keeps the package. */
  readonly fetchReal = (specifier: string): Promise<void> => {
    const [, name] = specifier.split("/");
    const folder = `${this.root}/vendor/jsr.io/@std/${name}`;
    Deno.mkdirSync(folder, { recursive: true });
    Deno.writeTextFileSync(`${folder}/meta.json`, '{ "latest": "9.9.9" }');
    return Promise.resolve();
  };

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

function fakeJsr(answer: () => Response) {
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, answer);
  const jsrUrl = `http://127.0.0.1:${server.addr.port}`;
  return { jsrUrl, [Symbol.asyncDispose]: () => server.shutdown() };
}

const jsr = () => fakeJsr(() => Response.json({ scope: "std", name: "assert" }));

testWith(
  FILES,
  "prepareStd() fills vendor/ with the subset where JSR is out of reach",
  async () => {
    using checkout = new Checkout();
    assertStringIncludes(String(await checkout.prepare()), "JSR is out of reach");
    const { latest } = JSON.parse(checkout.read("jsr.io/@std/net/meta.json"));
    assertEquals(latest, "1.0.6+offline");
    const { exports } = JSON.parse(checkout.read(`jsr.io/@std/net/${latest}_meta.json`));
    assertEquals(exports, { "./get-network-address": "./get_network_address.ts" });
    assertEquals(
      checkout.read(`jsr.io/@std/net/${latest}/get_network_address.ts`),
      Deno.readTextFileSync(`${PROJECT}/tools/std/net/get_network_address.ts`),
    );
  },
);

testWith(FILES, "prepareStd() does nothing and says nothing when vendor/ is ready", async () => {
  using checkout = new Checkout();
  await checkout.prepare();
  const { loaded } = checkout;
  await using registry = fakeJsr(() => {
    throw new Error("asked again");
  });
  const before = Deno.statSync(await checkout.mark()).mtime;
  assertEquals(await checkout.prepare({ jsrUrl: registry.jsrUrl }), undefined);
  assertEquals(checkout.loaded, loaded);
  assertEquals(Deno.statSync(await checkout.mark()).mtime, before);
});

testWith(FILES, "prepareStd() lets Deno fetch every module where JSR is within reach", async () => {
  using checkout = new Checkout();
  await using registry = jsr();
  const loaded: string[] = [];
  const load = (specifier: string) => {
    loaded.push(specifier);
    return checkout.fetchReal(specifier);
  };
  assertEquals(await checkout.prepare({ ...registry, load }), undefined);
  assert(loaded.includes("@std/assert"), "the module without a name");
  assert(loaded.includes("@std/log/rotating-file-handler"), "a module with one");
  assertEquals(checkout.read(OFFLINE), '{ "latest": "9.9.9" }');
});

testWith(
  FILES,
  "prepareStd() takes the real packages of Deno's cache without a network",
  async () => {
    using checkout = new Checkout();
    assertEquals(await checkout.prepare({ load: checkout.fetchReal }), undefined);
    assertEquals(checkout.read(OFFLINE), '{ "latest": "9.9.9" }');
  },
);

testWith(FILES, "prepareStd() never touches real packages that work", async () => {
  using checkout = new Checkout();
  await checkout.prepare({ load: checkout.fetchReal });
  Deno.removeSync(await checkout.mark());
  Deno.writeTextFileSync(`${checkout.root}/vendor/jsr.io/@std/log/mine`, "");
  let loaded = 0;
  assertEquals(await checkout.prepare({ load: () => Promise.resolve(loaded++) }), undefined);
  assert(loaded > 0, "checked");
  assertEquals(await checkout.prepare(), undefined);
  assertEquals(checkout.read("jsr.io/@std/log/mine"), "");
});

testWith(FILES, "prepareStd() replaces real packages that are incomplete", async () => {
  using checkout = new Checkout();
  await checkout.fetchReal("@std/net/get-network-address");
  assertStringIncludes(String(await checkout.prepare()), "offline subset");
  assertStringIncludes(checkout.read(OFFLINE), "+offline");
});

testWith(
  FILES,
  "prepareStd() waits no longer than its time for modules that do not come",
  async () => {
    using checkout = new Checkout();
    const load = () => new Promise<never>(() => {});
    assertStringIncludes(String(await checkout.prepare({ load, timeoutMs: 1 })), "offline subset");
  },
);

const portals = {
  "a page": new Response("<h1>Log in</h1>"),
  JSON: Response.json({ error: "log in" }),
};
for (const [what, answer] of Object.entries(portals)) {
  testWith(FILES, `prepareStd() takes ${what} from a captive portal for no JSR`, async () => {
    using checkout = new Checkout();
    await checkout.prepare();
    await using portal = fakeJsr(() => answer);
    await assertRejects(
      () => checkout.prepare({ ...portal, refresh: true }),
      Error,
      "out of reach",
    );
  });
}

testWith(FILES, "prepareStd() starts over after an interrupted fill", async () => {
  using checkout = new Checkout();
  await checkout.prepare();
  Deno.removeSync(await checkout.mark()); // as it is during a fill
  Deno.removeSync(`${checkout.root}/vendor/jsr.io/@std/net`, { recursive: true });
  assertStringIncludes(String(await checkout.prepare()), "offline subset");
  assertStringIncludes(checkout.read(OFFLINE), "+offline");
});

testWith(FILES, "prepareStd() notices a package that was removed", async () => {
  using checkout = new Checkout();
  await checkout.prepare();
  Deno.removeSync(`${checkout.root}/vendor/jsr.io/@std/net`, { recursive: true });
  await checkout.prepare();
  assertStringIncludes(checkout.read(OFFLINE), "+offline");
});

testWith(FILES, "prepareStd() fills anew when the subset has changed", async () => {
  using checkout = new Checkout();
  await checkout.prepare();
  const file = `${checkout.root}/tools/std/net/get_network_address.ts`;
  Deno.writeTextFileSync(file, "// changed\n");
  await checkout.prepare();
  assertEquals(
    checkout.read("jsr.io/@std/net/1.0.6+offline/get_network_address.ts"),
    "// changed\n",
  );
});

testWith(FILES, "prepareStd() leaves no older version when the imports have changed", async () => {
  using checkout = new Checkout();
  await checkout.prepare();
  const config = Deno.readTextFileSync(`${checkout.root}/deno.json`);
  Deno.writeTextFileSync(`${checkout.root}/deno.json`, config.replace("net@^1.0.6", "net@^1.0.7"));
  await checkout.prepare();
  assertEquals(checkout.marks().length, 1);
  const kept = [...Deno.readDirSync(`${checkout.root}/vendor/jsr.io/@std/net`)];
  assertEquals(kept.map(({ name }) => name).sort(), [
    "1.0.7+offline",
    "1.0.7+offline_meta.json",
    "meta.json",
  ]);
});

testWith(FILES, "prepareStd({ refresh }) goes back to the real packages", async () => {
  using checkout = new Checkout();
  await checkout.prepare();
  await using registry = jsr();
  const load = (specifier: string) => {
    assertEquals(checkout.marks(), [], "an interrupted refresh must not look ready");
    return checkout.fetchReal(specifier);
  };
  const news = await checkout.prepare({ ...registry, refresh: true, load });
  assertEquals(news, "vendor/ has the real standard library");
  const kept = [...Deno.readDirSync(`${checkout.root}/vendor/jsr.io/@std/net`)];
  assertEquals(kept.map(({ name }) => name), ["meta.json"]);
  assertEquals(checkout.read(OFFLINE), '{ "latest": "9.9.9" }');
  assertEquals(await checkout.prepare(), undefined);
});

testWith(
  FILES,
  "prepareStd({ refresh }) leaves vendor/ as it works where JSR is out of reach",
  async () => {
    using checkout = new Checkout();
    await checkout.prepare();
    await assertRejects(() => checkout.prepare({ refresh: true }), Error, "JSR is out of reach");
    assertStringIncludes(checkout.read(OFFLINE), "+offline");
    assertEquals(await checkout.prepare(), undefined);
  },
);

testWith(
  FILES,
  "prepareStd({ refresh }) fills again when the real packages fail to come",
  async () => {
    using checkout = new Checkout();
    await checkout.prepare();
    await using registry = jsr();
    assertStringIncludes(
      String(await checkout.prepare({ ...registry, refresh: true })),
      "offline subset",
    );
    assertStringIncludes(checkout.read(OFFLINE), "+offline");
  },
);

/** Runs the script itself, several at once, behind a proxy that refuses everything. */
testWith(
  PROCESSES,
  "std.ts run by several at once fills vendor/ once, and Deno resolves it",
  async () => {
    using checkout = new Checkout();
    await using proxy = fakeJsr(() => new Response(null, { status: 502 }));
    const run = async (...args: string[]) => {
      const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args,
        cwd: checkout.root,
        env: { HTTPS_PROXY: proxy.jsrUrl, DENO_DIR: `${checkout.root}/cache`, NO_COLOR: "1" },
      }).output();
      const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
      return { code, out, err };
    };
    const std = ["run", "-q", "--allow-read=.", "--allow-write=vendor", "--allow-net=jsr.io"];
    const runs = await Promise.all(
      Array.from({ length: 4 }, () => run(...std, "tools/std/std.ts")),
    );
    assertEquals(runs.map(({ code }) => code), [0, 0, 0, 0]);
    const said = runs.map(({ err }) => err).join("");
    assertEquals(said.match(/JSR is out of reach/g)?.length, 1, said);
    Deno.writeTextFileSync(
      `${checkout.root}/use.ts`,
      `import { parseArgs } from "@std/cli/parse-args";
     const { port } = parseArgs(["--port", "80"], { string: ["port"] });
     const text: string | undefined = port;
     console.log(text);`,
    );
    assertEquals(await run("run", "-q", "--check", "use.ts"), { code: 0, out: "80\n", err: "" });
  },
);
