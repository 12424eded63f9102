import { assertEquals } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { stub } from "@std/testing/mock";
import { Events } from "../../support/events.ts";
import { PROCESSES, testWith } from "../../support/permissions.ts";
import { passTime } from "../../support/turns.ts";
import { connectTo, echo } from "../../support/served.ts";
import { FramedConn } from "../../../lib/conn/framed_conn.ts";
import { memoryListener } from "../../../lib/conn/memory_conn.ts";
import { goodbyeText } from "../../../lib/server/end_reason.ts";
import { serve } from "../../../lib/server/server.ts";

Deno.test("serve() tells 64 refused clients at once why, and just closes the others", async () => {
  const events = new Events();
  await using server = serve(echo, {
    goodbye: goodbyeText,
    maxConnections: 1,
    onEvent: events.take,
  });
  using _first = await connectTo(server);
  await events.next("connected");
  const refused: FramedConn[] = [];
  for (let i = 0; i < 64; i++) {
    refused.push(await connectTo(server));
    await events.next("refused");
  }

  using next = await connectTo(server);

  assertEquals(await Array.fromAsync(next), []);
  assertEquals((await events.next("refused")).reason, "full");
  for (const client of refused) {
    assertEquals(await Array.fromAsync(client), [goodbyeText("full")]);
    client.close();
  }
});

Deno.test("serve() tells an idle client so, and ends only that conversation", async () => {
  const events = new Events();
  await using server = serve(echo, {
    goodbye: goodbyeText,
    idleTimeoutMs: 40,
    onEvent: events.take,
  });
  using idle = await connectTo(server);
  await events.next("connected");
  using busy = await connectTo(server);

  const talking = (async () => {
    while (events.count("disconnected") === 0) await busy.request("busy");
  })();
  assertEquals(await Array.fromAsync(idle), [goodbyeText("idle")]);
  idle.close();

  const { conn, reason } = await events.next("disconnected");
  assertEquals([conn.id, reason], [1, "idle"]);
  await talking;
  assertEquals(await busy.request("still"), "still");
});

const outOfDescriptors = () => Object.assign(new Error("Too many open files"), { code: "EMFILE" });

Deno.test("serve() outlives running out of descriptors, and serves later", async () => {
  using time = new FakeTime();
  const real = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  let failures = 3;
  const listener = {
    addr: real.addr,
    accept: () => failures-- > 0 ? Promise.reject(outOfDescriptors()) : real.accept(),
    close: () => real.close(),
  };
  using _listening = stub(Deno, "listen", (() => listener) as unknown as typeof Deno.listen);
  const events = new Events();
  const server = serve(echo, { onEvent: events.take });

  const { error } = await events.next("accept_failed");
  assertEquals((error as { code?: string }).code, "EMFILE");
  for (let i = 0; i < 3; i++) await time.tickAsync(100);
  const client = await connectTo(server);

  assertEquals(await client.request("at last"), "at last");
  assertEquals(events.types(), [
    "listening",
    "accept_failed",
    "connected",
    "received",
    "sent",
  ]);
  client.close();
  await server.shutdown();
});

testWith(PROCESSES, "serve() serves again after it really ran out of descriptors", async () => {
  if (Deno.build.os === "windows") return;
  const script = new URL("./descriptors_server.ts", import.meta.url).pathname;
  const deno = `ulimit -n 128; exec "$0" run --allow-net "$1"`;
  await using child = new Deno.Command("sh", {
    args: ["-c", deno, Deno.execPath(), script],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const lines = child.stdout.pipeThrough(new TextDecoderStream())[Symbol.asyncIterator]();
  const nextLine = async () => (await lines.next()).value?.trim();
  const port = Number(await nextLine());

  const clients = [];
  for (let i = 0; i < 140; i++) clients.push(await FramedConn.connect({ port }));
  assertEquals(await nextLine(), "EMFILE");
  for (const client of clients) client.close();
  const client = await FramedConn.connect({ port });

  assertEquals(await client.request("at last"), "at last");
  client.close();
  await child.stdin.close();
  await lines.return?.();
  assertEquals((await child.status).code, 0);
});

for (const [limit, reason] of [["maxConnections", "full"], ["maxPerAddress", "crowded"]] as const) {
  Deno.test(`serve() tells those above ${limit} that it is ${reason}, until somebody leaves`, async () => {
    const events = new Events();
    await using server = serve(echo, { [limit]: 1, goodbye: goodbyeText, onEvent: events.take });
    const first = await connectTo(server);
    await events.next("connected");

    using second = await connectTo(server);
    assertEquals(await Array.fromAsync(second), [goodbyeText(reason)]);
    assertEquals((await events.next("refused")).reason, reason);
    assertEquals(await first.request("undisturbed"), "undisturbed");

    first.close();
    await events.next("disconnected");
    using third = await connectTo(server);
    assertEquals(await third.request("welcome"), "welcome");
  });
}

Deno.test("serve() counts nothing that a listener gives and that is no connection", async () => {
  using time = new FakeTime();
  const { listener, connect } = memoryListener();
  const remoteAddr = listener.addr;
  const odd: unknown[] = [undefined, 5, {}, { remoteAddr }, { remoteAddr, close() {} }];
  const failures: unknown[] = [];
  await using server = serve((conn) => conn.send("served"), {
    maxConnections: 1,
    listener: {
      addr: listener.addr,
      accept: () => odd.length > 0 ? Promise.resolve(odd.pop() as never) : listener.accept(),
      close: () => listener.close(),
    },
    onEvent: (event) => event.type === "accept_failed" && failures.push(event.error),
  });
  using client = new FramedConn(await connect());

  await passTime(time, ...Array(6).fill(100));

  assertEquals(await client.receive(), "served");
  assertEquals(server.connections, 1);
  assertEquals(failures.map(String), [
    ...Array(3).fill("TypeError: Cannot accept: conn has no read()"),
    "TypeError: Cannot accept: conn is a number. Give an object",
    "TypeError: Cannot accept: conn is undefined. Give an object",
  ]);
  client.close();
});
