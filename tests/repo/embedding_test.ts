import { assertEquals, assertMatch } from "@std/assert";
import { ChildProgram, denoPath, type Ended } from "../../tools/shared/program.ts";
import { testWithCertificate } from "../support/certificate.ts";
import { FILES, PROCESSES, testWith } from "../support/permissions.ts";
import { fencedBlocks } from "./fenced_blocks.ts";

const ROOT = new URL("../../", import.meta.url);
const PAGE = new URL("docs/embedding.md", ROOT);

/** The files of the page in a folder of their own, where the names of JSR stand for this checkout. */
class Service implements AsyncDisposable {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async write(): Promise<Service> {
    const service = new Service(await Deno.makeTempDir());
    const blocks = fencedBlocks(await Deno.readTextFile(PAGE));
    for (const { info, body } of blocks) {
      const [, name] = /\bfile=(\S+)/.exec(info) ?? [];
      if (name) await Deno.writeTextFile(service.path(name), body);
    }
    const config = JSON.parse(blocks.find(({ info }) => info === "json")!.body);
    Object.assign(config, { vendor: true, lock: false });
    Object.assign(config.imports, {
      "@framed/tcp": `${ROOT}mod.ts`,
      "@framed/tcp/testing": `${ROOT}testing.ts`,
    });
    await Deno.writeTextFile(service.path("deno.json"), JSON.stringify(config));
    // Where the tasks keep the standard library.
    await Deno.symlink(new URL("vendor", ROOT), service.path("vendor"));
    return service;
  }

  path(name: string): string {
    return `${this.folder}/${name}`;
  }

  /** Starts `deno` with flags and one of the files. */
  deno(command: string, args: string[], env: Record<string, string> = {}): ChildProgram {
    const config = ["--quiet", "--config", this.path("deno.json")];
    const paths = args.map((arg) => arg.endsWith(".ts") ? this.path(arg) : arg);
    return new ChildProgram(denoPath(), [command, ...config, ...paths], env);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.folder, { recursive: true });
  }
}

async function end(program: ChildProgram): Promise<Ended> {
  await program.endInput();
  return await program.ended();
}

const RUN = ["--no-prompt", "--allow-net", "--allow-env", "--allow-read"];

testWith(
  PROCESSES,
  "docs/embedding.md: the service has the right types, and passes its tests",
  async () => {
    await using service = await Service.write();

    const checked = await end(service.deno("check", ["server.ts", "client.ts", "jobs_test.ts"]));
    assertEquals([checked.code, checked.err], [0, ""]);
    const tested = await end(service.deno("test", ["--no-prompt", "--no-check", "jobs_test.ts"]));
    assertEquals(tested.code, 0, tested.out + tested.err);
    assertMatch(tested.out, /4 passed \| 0 failed/);
  },
);

testWithCertificate(
  "docs/embedding.md: the service works over mutual TLS, and stops at SIGTERM with nothing undone",
  async (certificate) => {
    await using service = await Service.write();
    await Deno.writeTextFile(service.path("cert.pem"), certificate.cert);
    await Deno.writeTextFile(service.path("key.pem"), certificate.key);
    const files = { CERT: service.path("cert.pem"), KEY: service.path("key.pem") };
    await using server = service.deno("run", [...RUN, "server.ts"], {
      PORT: "0",
      CLIENT_CA: files.CERT,
      ...files,
    });
    const [, port] = /^Listening on 127\.0\.0\.1:(\d+)$/.exec(await server.line()) ?? [];
    const env = { PORT: port!, CA: files.CERT, ...files };

    await using worker = service.deno("run", [...RUN, "client.ts", "work"], env);
    // It would wait for ever for a server that refuses it.
    const timer = setTimeout(() => worker.kill("SIGKILL"), 30_000);
    const added = await end(service.deno("run", [...RUN, "client.ts", "mail", "backup"], env));
    const done = [await worker.line(), await worker.line()];
    clearTimeout(timer);
    server.kill("SIGTERM");
    const { code, out, err } = await end(server);

    assertEquals([added.code, added.out, added.err], [0, "added 1\nadded 2\n", ""]);
    assertEquals(done, ["doing mail", "doing backup"]);
    assertEquals([code, out], [0, ""]);
    assertMatch(
      err,
      /^\["127\.0\.0\.1:\d+","localhost","finished"[^\n]+\n\["[\d.:]+","localhost","shutdown"[^\n]+\n$/,
    );
  },
);

testWith(PROCESSES, "docs/embedding.md: the library is imported by URL", async () => {
  await using service = await Service.write();
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const { pathname } = new URL(request.url);
      const source = await Deno.readFile(new URL(`.${pathname}`, ROOT));
      return new Response(source, { headers: { "content-type": "application/typescript" } });
    },
  );
  await Deno.writeTextFile(
    service.path("by_url.ts"),
    `import { FramedConn, serve } from "http://127.0.0.1:${server.addr.port}/mod.ts";
await using server = serve((conn) => conn.send("hello"), { port: 0 });
using conn = await FramedConn.connect({ port: server.addr.port });
console.log(await conn.receive());`,
  );
  const cache = { DENO_DIR: service.path("cache") };

  const program = new ChildProgram(
    denoPath(),
    [
      "run",
      "--quiet",
      "--no-config",
      "--no-prompt",
      "--allow-net",
      "--allow-import",
      service.path("by_url.ts"),
    ],
    cache,
  );

  assertEquals(await end(program), { code: 0, out: "hello\n", err: "" });
});

const hasSystemd = Deno.permissions.querySync({ name: "run" }).state === "granted" &&
  await new Deno.Command("systemd-analyze", { args: ["--version"], stdout: "null" }).output()
    .then(({ success }) => success, () => false);

testWith(
  hasSystemd ? PROCESSES : FILES,
  "docs/embedding.md: systemd takes the unit, where it is there",
  async () => {
    await using service = await Service.write();
    const unit = await Deno.readTextFile(service.path("jobs.service"));
    assertMatch(unit, /^ExecStart=\/usr\/local\/bin\/jobs$/m);
    if (!hasSystemd) return;
    const executable = Deno.execPath();
    const installed = unit.replace("/usr/local/bin/jobs", executable);
    await Deno.writeTextFile(service.path("jobs.service"), installed);

    const program = new ChildProgram("systemd-analyze", ["verify", service.path("jobs.service")]);
    const { code, err } = await end(program);

    assertEquals([code, err], [0, ""]);
  },
);
