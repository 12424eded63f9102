import { assertEquals, assertRejects } from "@std/assert";
import { dial } from "../../../lib/conn/dial.ts";
import { FramedConn } from "../../../lib/conn/framed_conn.ts";
import { turns } from "../../support/turns.ts";

const listen = () => Deno.listen({ hostname: "127.0.0.1", port: 0 });

Deno.test("FramedConn.connect() connects to this machine by default, with its options; a later abort changes nothing", async () => {
  using listener = listen();
  const { port } = listener.addr;

  await assertRejects(() => FramedConn.connect({ port, maxBodyBytes: -1 }), RangeError);
  const controller = new AbortController();

  using conn = await FramedConn.connect({ port, maxBodyBytes: 5, signal: controller.signal });
  using server = new FramedConn(await listener.accept());
  controller.abort();

  assertEquals(conn.remoteAddr, { transport: "tcp", hostname: "127.0.0.1", port });
  await conn.send("hello");
  assertEquals(await server.receive(), "hello");
  await assertRejects(() => conn.send("hello!"), RangeError);
});

Deno.test("FramedConn.connect() rejects where nobody listens", async () => {
  const listener = listen();
  const { port } = listener.addr;
  listener.close();

  await assertRejects(() => FramedConn.connect({ port }), Deno.errors.ConnectionRefused);
});

Deno.test("FramedConn.connect() rejects with the reason of a signal that aborted before or while it connects", async () => {
  using listener = listen();
  const { port } = listener.addr;
  const reason = new Error("no time");
  const controller = new AbortController();

  await assertRejects(
    () => FramedConn.connect({ port, signal: AbortSignal.abort(reason) }),
    Error,
    "no time",
  );
  const connecting = FramedConn.connect({ port, signal: controller.signal });
  controller.abort(reason);

  await assertRejects(() => connecting, Error, "no time");
});

Deno.test("FramedConn.connect() gives up a TLS handshake that gets no answer", async () => {
  using listener = listen();
  const controller = new AbortController();
  const { port } = listener.addr;
  const connecting = FramedConn.connect({ port, tls: {}, signal: controller.signal });
  using _silent = await listener.accept();
  await turns();

  controller.abort(new Error("no time"));

  await assertRejects(() => connecting, Error, "no time");
});

Deno.test("FramedConn.connect() rejects when the peer does not speak TLS", async () => {
  using listener = listen();
  const connecting = FramedConn.connect({ port: listener.addr.port, tls: {} });
  const plain = await listener.accept();
  await plain.write(new TextEncoder().encode("this is not TLS, I am afraid"));

  await assertRejects(() => connecting, Deno.errors.InvalidData);

  plain.close();
});

Deno.test("FramedConn.connect() closes the connection when TLS refuses the name of the host", async () => {
  using listener = listen();
  const { port } = listener.addr;

  // The system takes this for 127.0.0.1, and a certificate cannot be made out to it.
  const connecting = FramedConn.connect({ hostname: "127.1", port, tls: {} });
  using accepted = await listener.accept();

  await assertRejects(() => connecting, TypeError);
  assertEquals(await accepted.read(new Uint8Array(1)), null);
});

/** Connects over a TLS that `handshake` ends, and tells what was done to the two connections. */
async function connectOver(handshake: () => Promise<void>, signal?: AbortSignal) {
  const calls: string[] = [];
  using listener = listen();
  const [connect, startTls] = [Deno.connect, Deno.startTls];
  const tls = { handshake, close: () => calls.push("close") } as unknown;
  Deno.connect = (async (options: Deno.ConnectOptions) => {
    const tcp = await connect(options);
    tcp.setNoDelay = (noDelay) => calls.push(`noDelay ${noDelay}`);
    return tcp;
  }) as typeof Deno.connect;
  Deno.startTls = (tcp: Deno.TcpConn) => {
    calls.push("startTls");
    tcp.close();
    return Promise.resolve(tls as Deno.TlsConn);
  };
  try {
    const conn = await dial({ port: listener.addr.port, tls: {}, signal })
      .catch((error) => calls.push(`rejected: ${error}`) && undefined);
    if (conn) calls.push("resolved");
    (await listener.accept()).close();
  } finally {
    [Deno.connect, Deno.startTls] = [connect, startTls];
  }
  return calls;
}

Deno.test("dial() over TLS switches Nagle's algorithm off before the connection is a TlsConn, which cannot", async () => {
  assertEquals(await connectOver(() => Promise.resolve()), [
    "noDelay true",
    "startTls",
    "resolved",
  ]);
});

Deno.test("dial() over TLS never gives a closed connection, whenever the signal aborts", async () => {
  for (let microtasks = 0; microtasks < 12; microtasks++) {
    const controller = new AbortController();
    const [began, ended] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const handshake = () => (began.resolve(), ended.promise);
    const dialing = connectOver(handshake, controller.signal);
    await began.promise;
    ended.resolve();
    for (let i = 0; i < microtasks; i++) await null;
    controller.abort("late");

    const calls = await dialing;
    assertEquals(calls.includes("resolved"), !calls.includes("close"), calls.join());
    assertEquals(calls.includes("resolved"), !calls.includes("rejected: late"), calls.join());
  }
});
