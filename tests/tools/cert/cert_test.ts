import { assertEquals, assertStringIncludes } from "@std/assert";
import { stub } from "@std/testing/mock";
import { FramedConn } from "../../../lib/conn/framed_conn.ts";
import { serve } from "../../../lib/server/server.ts";
import { certificateArgs, main, namesOf } from "../../../tools/cert/cert.ts";
import { plainTextWarning } from "../../../servers/control/config.ts";
import { PROCESSES, testWith } from "../../support/permissions.ts";

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

testWith(
  PROCESSES,
  "deno task cert makes a certificate that Deno accepts, or says what is missing",
  async () => {
    const folder = await Deno.makeTempDir();
    const made = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--quiet",
        "--no-prompt",
        `--config=${new URL("../../../deno.json", import.meta.url).pathname}`,
        "--allow-run=openssl",
        "--allow-read=data",
        "--allow-write=data",
        new URL("../../../tools/cert/cert.ts", import.meta.url).href,
      ],
      cwd: folder,
    }).output();
    if (made.code !== 0) {
      assertStringIncludes(new TextDecoder().decode(made.stderr), "openssl is not installed");
      return await Deno.remove(folder, { recursive: true });
    }
    const cert = await Deno.readTextFile(`${folder}/data/cert.pem`);
    const key = await Deno.readTextFile(`${folder}/data/key.pem`);
    const { mode } = await Deno.stat(`${folder}/data/key.pem`);
    await Deno.remove(folder, { recursive: true });
    await using server = serve(async (conn) => {
      for await (const text of conn) await conn.send(text);
    }, { port: 0, cert, key });

    using conn = await FramedConn.connect({ port: server.addr.port, tls: { caCerts: [cert] } });

    assertEquals(await conn.request("hello"), "hello");
    assertEquals(mode! & 0o777, 0o600);
  },
);

Deno.test("main() of cert says which numbers of days there are", async () => {
  using error = stub(console, "error");

  const codes = [await main(["--days", "0"]), await main(["--days=soon"])];

  assertEquals(codes, [2, 2]);
  assertEquals(error.calls.map(({ args }) => args[0]), [
    'Cannot use --days "0": give a whole number from 1 to 99999',
    'Cannot use --days "soon": give a whole number from 1 to 99999',
  ]);
});

Deno.test("certificateArgs() asks for a certificate that may not sign others", () => {
  const args = certificateArgs({ cert: "c", key: "k", days: "1", names: namesOf() });

  assertEquals(args.includes("basicConstraints=critical,CA:FALSE"), true);
});
