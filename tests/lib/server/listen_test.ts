import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { stub } from "@std/testing/mock";
import { listen } from "../../../lib/server/listen.ts";

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
