import { assertEquals, assertRejects } from "@std/assert";
import { FlagError } from "../../../client/shared/client_program.ts";
import { connectorOf, targetOf } from "../../../client/shared/target.ts";
import { serve } from "../../../lib/server/server.ts";
import { FILES, testWith } from "../../support/permissions.ts";

Deno.test("connectorOf() waits for no host that cannot be found", async () => {
  const connect = await connectorOf({ host: "nosuch.invalid", port: 9, tls: false });

  await assertRejects(() => connect(), TypeError, 'Cannot find the host "nosuch.invalid"');
});

Deno.test("connectorOf() leaves a failure that waiting mends as it is", async () => {
  const server = serve(() => {});
  const { port } = server.addr;
  await server.shutdown();
  const connect = await connectorOf({ host: "127.0.0.1", port, tls: false });

  await assertRejects(() => connect(), Deno.errors.ConnectionRefused);
});

Deno.test("targetOf() asks again for a host that cannot be found", async () => {
  const answers = ["nosuch.invalid", "127.0.0.2"];
  const told: string[] = [];
  const asker = {
    line: () => Promise.resolve(answers.shift()!),
    tell: (text: string) => void told.push(text),
  };

  const flags = { host: undefined, port: 1, tls: false, ca: undefined };
  assertEquals(await targetOf(flags, asker), { host: "127.0.0.2", port: 1, tls: false });
  assertEquals(told, ['Cannot find the host "nosuch.invalid": check how it is spelled']);
});

Deno.test("targetOf() refuses --ca without --tls", async () => {
  const flags = { host: "::1", port: 1, tls: false, ca: "ca.pem" };

  await assertRejects(() => targetOf(flags), FlagError, "--ca needs --tls");
});

testWith(
  FILES,
  "connectorOf() refuses a --ca that is not a file, or too large, without waiting for it",
  async () => {
    const folder = await Deno.makeTempDir();
    const large = `${folder}/large`;
    await Deno.writeTextFile(large, "-----BEGIN CERTIFICATE-----");
    await Deno.truncate(large, 1024 * 1024 + 1);
    const connector = (ca: string) => connectorOf({ host: "::1", port: 1, tls: true, ca });

    await assertRejects(() => connector(folder), TypeError, `--ca ${folder}: it is not a file`);
    await assertRejects(() => connector(large), TypeError, `--ca ${large}: it is too large`);
    await Deno.remove(folder, { recursive: true });
  },
);
