import { assertEquals, assertRejects } from "@std/assert";
import { connectorOf, targetOf } from "../../../client/shared/target.ts";
import { serve } from "../../../lib/server/server.ts";

Deno.test("connectorOf() waits for no host that cannot be found", async () => {
  const connect = await connectorOf({ tls: false });

  await assertRejects(
    () => connect({ host: "nosuch.invalid", port: 9 }),
    TypeError,
    'Cannot find the host "nosuch.invalid"',
  );
});

Deno.test("connectorOf() leaves a failure that waiting mends as it is", async () => {
  const server = serve(() => {});
  const { port } = server.addr;
  await server.shutdown();
  const connect = await connectorOf({ tls: false });

  await assertRejects(() => connect({ host: "127.0.0.1", port }), Deno.errors.ConnectionRefused);
});

Deno.test("targetOf() asks again for a host that cannot be found", async () => {
  const answers = ["nosuch.invalid", "127.0.0.2"];
  const told: string[] = [];
  const asker = {
    line: () => Promise.resolve(answers.shift()!),
    tell: (text: string) => void told.push(text),
  };

  assertEquals(await targetOf({ port: 1, tls: false }, asker), { host: "127.0.0.2", port: 1 });
  assertEquals(told, ['Cannot find the host "nosuch.invalid": check how it is spelled']);
});
