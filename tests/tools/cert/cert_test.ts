import { assertEquals, assertMatch } from "@std/assert";
import { FramedConn } from "../../../lib/conn/framed_conn.ts";
import { serve } from "../../../lib/server/server.ts";
import { namesOf } from "../../../tools/cert/cert.ts";
import { plainTextWarning } from "../../../servers/control/config.ts";
import type { Ended } from "../../../tools/shared/program.ts";
import { deno } from "../../support/deno.ts";
import { testWithCertificate } from "../../support/certificate.ts";
import { PROCESSES, testInFolder, testWith } from "../../support/permissions.ts";

Deno.test("namesOf() tells names from addresses", () => {
  const own = "DNS:localhost,IP:127.0.0.1,IP:::1";

  assertEquals(namesOf(), own);
  assertEquals(namesOf("chat.example.org"), `${own},DNS:chat.example.org`);
  assertEquals(namesOf("192.0.2.7"), `${own},IP:192.0.2.7`);
  assertEquals(namesOf("fe80::1"), `${own},IP:fe80::1`);
});

Deno.test("plainTextWarning() warns of passwords in clear on other machines than this", () => {
  const warning = (config: Record<string, unknown>) =>
    plainTextWarning(config as unknown as Parameters<typeof plainTextWarning>[0]) !== undefined;

  assertEquals(warning({ name: "chat", host: "0.0.0.0" }), true);
  assertEquals(warning({ name: "auth", host: "192.0.2.7" }), true);
  assertEquals(warning({ name: "chat", host: "127.0.0.1" }), false);
  assertEquals(warning({ name: "chat", host: "0.0.0.0", cert: "PEM" }), false);
  assertEquals(warning({ name: "echo", host: "0.0.0.0" }), false);
});

/** Runs the program in a folder, with the permissions of its task. */
function runCert(folder: string, ...flags: string[]): Promise<Ended> {
  const args = [
    ..."run --quiet --no-prompt --allow-run=openssl --allow-read=data".split(" "),
    "--allow-write=data",
    `--config=${new URL("../../../deno.json", import.meta.url).pathname}`,
    new URL("../../../tools/cert/cert.ts", import.meta.url).href,
    ...flags,
  ];
  return deno(args, { cwd: folder });
}

testWithCertificate("deno task cert makes a certificate that Deno accepts", async () => {
  const folder = await Deno.makeTempDir();
  const { code } = await runCert(folder);
  const cert = await Deno.readTextFile(`${folder}/data/cert.pem`);
  const key = await Deno.readTextFile(`${folder}/data/key.pem`);
  const modes = [`${folder}/data`, `${folder}/data/key.pem`]
    .map((path) => Deno.statSync(path).mode! & 0o777);
  await Deno.remove(folder, { recursive: true });
  await using server = serve(async (conn) => {
    for await (const text of conn) await conn.send(text);
  }, { port: 0, cert, key });

  using conn = await FramedConn.connect({ port: server.addr.port, tls: { caCerts: [cert] } });

  assertEquals(await conn.request("hello"), "hello");
  assertEquals([code, ...modes], [0, 0o700, 0o600]);
});

const IN_THE_WAY: Record<string, (data: string) => void> = {
  "a key": (data) => Deno.writeTextFileSync(`${data}/key.pem`, "old"),
  "a certificate": (data) => Deno.writeTextFileSync(`${data}/cert.pem`, "old"),
  "a link to a key": (data) => {
    Deno.writeTextFileSync(`${data}/../key`, "old");
    Deno.symlinkSync("../key", `${data}/key.pem`);
  },
  "a link to nothing": (data) => Deno.symlinkSync("../nothing", `${data}/key.pem`),
  "a folder": (data) => Deno.mkdirSync(`${data}/key.pem`),
};

for (const [what, put] of Object.entries(IN_THE_WAY)) {
  testInFolder(`deno task cert does not replace ${what}, and says how to`, async (folder) => {
    await Deno.mkdir(`${folder}/data`);
    put(`${folder}/data`);
    const before = [...Deno.readDirSync(folder), ...Deno.readDirSync(`${folder}/data`)];

    const { code, out, err } = await runCert(folder);
    const after = [...Deno.readDirSync(folder), ...Deno.readDirSync(`${folder}/data`)];

    assertEquals([code, out, after], [1, "", before]);
    assertMatch(
      err,
      /^Cannot make data\/(key|cert)\.pem: it exists\. To replace it, [^\n]*: mv data/,
    );
  }, PROCESSES);
}

testWith(PROCESSES, "deno task cert refuses a number of days that cannot be", async () => {
  const expected = 'Cannot use --days "0": give a whole number from 1 to 99999\n';

  assertEquals(await runCert(".", "--days", "0"), { code: 2, out: "", err: expected });
});
