import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { stub } from "@std/testing/mock";
import { FakeTime } from "@std/testing/time";
import { testWithCertificate } from "../../support/certificate.ts";
import { Events } from "../../support/events.ts";
import { FILES, testWith } from "../../support/permissions.ts";
import { echo } from "../../support/served.ts";
import { FramedConn } from "../../../lib/conn/framed_conn.ts";
import { memoryListener } from "../../../lib/conn/memory_conn.ts";
import { listen } from "../../../lib/server/listen.ts";
import { serve } from "../../../lib/server/server.ts";

type ListenOptions = Deno.TcpListenOptions & { transport?: "tcp" };

/** Makes every port of a set busy, whatever the machine does with them. */
function stubBusy(isBusy: (port: number) => boolean) {
  const tried: number[] = [];
  const listening = stub(
    Deno,
    "listen",
    ((options: ListenOptions) => {
      tried.push(options.port!);
      if (isBusy(options.port!)) throw new Deno.errors.AddrInUse("busy");
      return { addr: { ...options, transport: "tcp" } };
    }) as unknown as typeof Deno.listen,
  );
  return { tried, [Symbol.dispose]: () => listening.restore() };
}

Deno.test("listen() takes any free port of 127.0.0.1 by default", () => {
  using listener = listen();

  assertEquals(listener.addr.hostname, "127.0.0.1");
  assertEquals(listener.addr.port > 0, true);
});

Deno.test("listen() takes the next free port after several busy ones, by trying to listen", () => {
  using stubbed = stubBusy((port) => port < 9093);

  const listener = listen({ port: 9090, portAttempts: 100 });

  assertEquals(listener.addr.port, 9093);
  assertEquals(stubbed.tried, [9090, 9091, 9092, 9093]);
});

Deno.test("listen() insists on the port by default", () => {
  using busy = listen();
  const { port } = busy.addr;

  assertThrows(
    () => listen({ port }),
    Deno.errors.AddrInUse,
    `Cannot listen on 127.0.0.1: port ${port} is busy`,
  );
});

Deno.test("listen() gives up when all ports that it may try are busy", () => {
  using stubbed = stubBusy(() => true);

  assertThrows(
    () => listen({ port: 9090, portAttempts: 3 }),
    Deno.errors.AddrInUse,
    "Cannot listen on 127.0.0.1: ports 9090 to 9092 are all busy",
  );
  assertEquals(stubbed.tried, [9090, 9091, 9092]);
});

Deno.test("listen() tries no port above 65535", () => {
  using stubbed = stubBusy(() => true);

  const portAttempts = 100;
  const listenFrom = (port: number) => listen({ port, portAttempts });
  assertThrows(() => listenFrom(65534), Deno.errors.AddrInUse, "ports 65534 to 65535");
  assertThrows(() => listenFrom(65535), Deno.errors.AddrInUse, "port 65535 is busy");
  assertEquals(stubbed.tried, [65534, 65535, 65535]);
});

Deno.test("listen() tries nothing else when no free port can be had", () => {
  using stubbed = stubBusy(() => true);

  assertThrows(() => listen({ port: 0 }), Deno.errors.AddrInUse);

  assertEquals(stubbed.tried, [0]);
});

Deno.test("listen() takes port 65535", () => {
  using _stubbed = stubBusy(() => false);

  assertEquals(listen({ port: 65535 }).addr.port, 65535);
});

Deno.test("listen() passes on any other failure at once", () => {
  using stubbed = stubBusy((port) => {
    if (port === 80) throw new Deno.errors.PermissionDenied("privileged");
    return true;
  });

  assertThrows(() => listen({ port: 80 }), Deno.errors.PermissionDenied);
  assertEquals(stubbed.tried, [80]);
});

for (const port of [-1, 65536, 70000, 1.5, NaN, Infinity]) {
  Deno.test(`listen() refuses port ${port}`, () => {
    assertThrows(
      () => listen({ port }),
      RangeError,
      `Cannot listen on port ${port}: give a whole number from 0 to 65535`,
    );
  });
}

for (const portAttempts of [0, -1, 1.5, NaN]) {
  Deno.test(`listen() refuses ${portAttempts} attempts`, () => {
    assertThrows(
      () => listen({ portAttempts }),
      RangeError,
      `Cannot try ${portAttempts} ports: give a whole number from 1`,
    );
  });
}

Deno.test("listen() wants the certificate and its key together", () => {
  const message = "Cannot listen with TLS: give both the certificate and its key";

  assertThrows(() => listen({ cert: "PEM" }), TypeError, message);
  assertThrows(() => listen({ key: "PEM" }), TypeError, message);
});

Deno.test("listen() lets the operating system hold 4096 clients by default", () => {
  const backlogs: (number | undefined)[] = [];
  using _listening = stub(
    Deno,
    "listen",
    ((options: ListenOptions) => {
      backlogs.push(options.tcpBacklog);
    }) as unknown as typeof Deno.listen,
  );

  listen();
  listen({ tcpBacklog: 5 });

  assertEquals(backlogs, [4096, 5]);
});

Deno.test("listen() passes on that a host is not this machine", () => {
  assertThrows(() => listen({ hostname: "192.0.2.1" }), Deno.errors.AddrNotAvailable);
});

Deno.test("listen() frees the port when the listener is closed", async () => {
  const first = listen();
  const { port } = first.addr;
  const accepting = assertRejects(() => first.accept(), Deno.errors.BadResource);

  first.close();
  await accepting;

  using again = listen({ port, portAttempts: 1 });
  assertEquals(again.addr.port, port);
});

Deno.test("serve({ listener }) serves the connections of a listener in memory", async () => {
  const events = new Events();
  const { listener, connect } = memoryListener();
  const waiting = connect();
  await using server = serve(echo, { listener, onEvent: events.take });
  using early = new FramedConn(await waiting);
  using conn = new FramedConn(await connect({ chunkBytes: 1 }));

  assertEquals(await early.request("hello"), "hello");
  assertEquals(await conn.request("world"), "world");

  const addr: Deno.NetAddr = server.addr;
  assertEquals([addr, server.connections], [listener.addr, 2]);
  const { port, requestedPort } = await events.next("listening");
  assertEquals([port, requestedPort], [9090, 9090]);
});

Deno.test("serve({ listener }) serves a listener of Deno, and closes it", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const server = serve(echo, { listener });
  const { port } = server.addr;
  using conn = await FramedConn.connect({ port });
  assertEquals(await conn.request("hello"), "hello");

  conn.close();
  await server.shutdown();

  await assertRejects(() => FramedConn.connect({ port }), Deno.errors.ConnectionRefused);
});

Deno.test("Server.resume() says that a listener of one's own is closed", async () => {
  const { listener, connect } = memoryListener();
  await using server = serve(echo, { listener });

  await server.pause();

  await assertRejects(() => server.resume(), TypeError, "pause() has closed the listener");
  await assertRejects(() => connect(), Deno.errors.ConnectionRefused);
});

Deno.test("serve({ listener }) pauses when the owner closes the listener, and can be shut down", async () => {
  const events = new Events();
  const { listener, connect } = memoryListener();
  const server = serve(echo, { listener, onEvent: events.take });
  using conn = new FramedConn(await connect());
  assertEquals(await conn.request("hello"), "hello");

  listener.close();

  const { error } = await events.next("accept_failed");
  assert(error instanceof Deno.errors.BadResource);
  await events.next("paused");
  assertEquals([server.paused, await conn.request("still there")], [true, "still there"]);
  conn.close();
  await server.shutdown();
});

Deno.test("serve({ listener }) goes on when accepting fails", async () => {
  const events = new Events();
  const { listener, connect } = memoryListener();
  let failures = 2;
  const failing = {
    addr: listener.addr,
    accept: () => failures-- > 0 ? Promise.reject(new Error("no room")) : listener.accept(),
    close: () => {
      listener.close();
      throw new Error("closed twice");
    },
  };
  await using _server = serve(echo, { listener: failing, onEvent: events.take });
  using conn = new FramedConn(await connect());

  assertEquals(await conn.request("hello"), "hello");
  assertEquals(events.count("accept_failed"), 1);
});

Deno.test("serve() refuses a listener with a path, and what is none", () => {
  const { listener } = memoryListener();
  assertThrows(() => serve(echo, { listener, path: "/tmp/x" }), TypeError, "give one of them");
  assertThrows(() => serve(echo, { listener: {} as never }), TypeError, "has no accept()");
});

testWithCertificate("serve() refuses a listener of Deno.listenTls", async (pair) => {
  using listener = Deno.listenTls({ hostname: "127.0.0.1", port: 0, ...pair });

  assertThrows(() => serve(echo, { listener }), TypeError, "the options cert and key");

  await using server = serve(echo, { listener: listen(), ...pair });
  const { port } = server.addr as Deno.NetAddr;
  using conn = await FramedConn.connect({ port, tls: { caCerts: [pair.cert] } });
  assertEquals(await conn.request("hello"), "hello");
});

testWith(
  FILES,
  "serve({ path }) serves on a Unix socket of this user, and removes it",
  async () => {
    const folder = await Deno.makeTempDir();
    const path = `${folder}/s.sock`;
    const events = new Events();
    const server = serve(async (conn, { peer, address }) => {
      await conn.send(`${peer} ${address}`);
      await echo(conn, {} as never);
    }, { path, onEvent: events.take });
    assertEquals((await Deno.stat(path)).mode! & 0o777, 0o600);
    const addr: Deno.UnixAddr = server.addr;
    assertEquals(addr.path, path);
    assertEquals(await events.next("listening"), {
      type: "listening",
      hostname: path,
      port: 0,
      requestedPort: 0,
    });

    for (let life = 1; life <= 2; life++) {
      const conn = new FramedConn(await Deno.connect({ transport: "unix", path }));
      assertEquals(await conn.receive(), `unix:${life} unix`);
      assertEquals(await conn.request("hello"), "hello");
      conn.close();
      await events.next("disconnected");
      await server.pause();
      await assertRejects(() => Deno.stat(path), Deno.errors.NotFound);
      await server.resume();
    }
    await server.shutdown();

    await assertRejects(() => Deno.stat(path), Deno.errors.NotFound);
    await Deno.remove(folder, { recursive: true });
  },
);

testWith(
  FILES,
  "serve({ path }) says what to do about a path that it cannot listen on",
  async () => {
    const folder = await Deno.makeTempDir();
    const stale = `${folder}/stale.sock`;
    await Deno.writeTextFile(stale, "");

    const error = assertThrows(() => serve(echo, { path: stale }), Deno.errors.AddrInUse);
    assertMatch(
      error.message,
      /stale\.sock: the file exists\. If no server listens on it, delete it$/,
    );
    const long = `${folder}/${"x".repeat(120)}`;
    assertThrows(() => serve(echo, { path: long }), TypeError, "the path is too long");
    assertThrows(() => serve(echo, { path: `${folder}/no/s.sock` }), Deno.errors.NotFound);

    await Deno.remove(folder, { recursive: true });
  },
);

Deno.test("Server.shutdown({ timeoutMs }) closes what has not ended by then", async () => {
  const { listener, connect } = memoryListener();
  const begun = Promise.withResolvers<void>();
  const server = serve(async (_, { signal }) => {
    begun.resolve();
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    await new Promise(() => {});
  }, { listener });
  using conn = new FramedConn(await connect());
  await begun.promise;

  const stopping = server.shutdown({ timeoutMs: 1 });

  assertEquals(await conn.receive(), null);
  await stopping;
  assertEquals(server.connections, 0);
});

Deno.test("Server.shutdown() waits a second for a listener that does not end its accept", async () => {
  const listener = { ...memoryListener().listener, accept: () => new Promise<never>(() => {}) };
  const server = serve(echo, { listener: { ...listener, close: () => {} } });
  using time = new FakeTime();

  const stopping = server.shutdown({ timeoutMs: 1 });
  await time.tickAsync(1000);

  await stopping;
});
