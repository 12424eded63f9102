import { assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { X509Certificate } from "node:crypto";
import { Authority, runOpenssl, testWithCertificate } from "../../../support/certificate.ts";
import { Events } from "../../../support/events.ts";
import { echo } from "../../../support/served.ts";
import { FramedConn } from "../../../../lib/conn/framed_conn.ts";
import { goodbyeText } from "../../../../lib/server/end_reason.ts";
import { serve, type Server } from "../../../../lib/server/server.ts";
import type { ClientCertificate } from "../../../../lib/server/server_events.ts";
import type { Certificate } from "../../../../tools/cert/cert.ts";

const NONE = { cert: undefined, key: undefined };

function connectWith(server: Server, authority: string, pair: Certificate | typeof NONE) {
  const { cert, key } = pair;
  const own = cert !== undefined && key !== undefined ? { cert, key } : {};
  return FramedConn.connect({ port: server.addr.port, tls: { caCerts: [authority], ...own } });
}

testWithCertificate(
  "serve({ ca }) serves a client with a certificate of an authority, and says which",
  async (pair) => {
    await using authority = await Authority.make();
    const anna = await authority.issue("anna");
    const seen: (ClientCertificate | undefined)[] = [];
    const ca = pair.cert + authority.cert;
    await using server = serve(async (conn, { certificate }) => {
      seen.push(certificate);
      await echo(conn, {} as never);
    }, { ...pair, ca });

    using conn = await connectWith(server, pair.cert, anna);
    assertEquals(await conn.request("x".repeat(200_000)), "x".repeat(200_000));
    // The certificate itself may be named, too.
    using self = await connectWith(server, pair.cert, pair);
    assertEquals(await self.request("hello"), "hello");

    const x509 = new X509Certificate(anna.cert);
    assertEquals(seen.map((certificate) => certificate?.commonName), ["anna", "localhost"]);
    assertEquals(seen[0]?.fingerprint, x509.fingerprint256);
    assertEquals(new X509Certificate(seen[0]!.raw as never).subject, x509.subject);
    assertEquals(server.peers()[0]?.certificate, seen[0]);
  },
);

testWithCertificate(
  "serve({ ca }) refuses clients without a valid certificate, and gives their places back",
  async (pair) => {
    await using authority = await Authority.make();
    await using other = await Authority.make();
    const events = new Events();
    await using server = serve(echo, {
      ...pair,
      ca: authority.cert,
      maxConnections: 1,
      goodbye: goodbyeText,
      onEvent: events.take,
    });
    const clients = {
      none: NONE,
      foreign: await other.issue("anna"),
      self: pair,
      expired: await authority.issue("anna", -1),
    };

    for (const [name, client] of Object.entries(clients)) {
      using conn = await connectWith(server, pair.cert, client);
      await conn.send("hello");
      assertEquals(await conn.receive().catch(() => null), null);
      const { reason, error } = await events.next("disconnected");
      assertEquals(reason, "protocol");
      assertMatch(
        (error as Error).message,
        name === "none" ? /shown no certificate$/ : /is refused: [A-Z_]+$/,
      );
    }

    using conn = await connectWith(server, pair.cert, await authority.issue("anna"));
    assertEquals(await conn.request("hello"), "hello");
    assertEquals(events.count("received"), 1);
  },
);

testWithCertificate(
  "serve({ ca }) takes a session that it has begun, and none of another server's authority",
  async (pair) => {
    await using authority = await Authority.make();
    const { cert, key } = await authority.issue("anna");
    const folder = await Deno.makeTempDir();
    await using _removed = {
      [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
    };
    await Deno.writeTextFile(`${folder}/own.pem`, cert + key);
    const [own, other] = [new Events(), new Events()];
    await using server = serve(echo, { ...pair, ca: authority.cert, onEvent: own.take });
    await using stranger = serve(echo, { ...pair, ca: pair.cert, onEvent: other.take });

    const connect = ({ addr: { port } }: Server, more: string) =>
      runOpenssl(folder, `s_client -tls1_2 -connect 127.0.0.1:${port} ${more}`);
    const reasonOf = async (events: Events) => (await events.next("disconnected")).reason;
    await connect(server, "-cert own.pem -key own.pem -sess_out session");
    assertEquals(await reasonOf(own), "finished");

    await connect(stranger, "-sess_in session");
    assertEquals(await reasonOf(other), "protocol");
    await connect(server, "-sess_in session");
    assertEquals(await reasonOf(own), "finished");
  },
);

testWithCertificate(
  "serve({ ca }) refuses a client over the limit by its goodbye",
  async (pair) => {
    await using server = serve(echo, {
      ...pair,
      ca: pair.cert,
      maxConnections: 1,
      goodbye: goodbyeText,
    });
    using first = await connectWith(server, pair.cert, pair);
    await first.request("hello");

    using second = await connectWith(server, pair.cert, pair);

    assertEquals(await second.receive(), goodbyeText("full"));
  },
);

testWithCertificate(
  "serve({ ca }) ends peers that break off the handshake, speak no TLS, or are silent",
  async (pair) => {
    const events = new Events();
    const server = serve(echo, { ...pair, ca: pair.cert, onEvent: events.take });
    const { port } = server.addr;

    (await Deno.connect({ port })).close();
    assertEquals((await events.next("disconnected")).reason, "truncated");
    using plain = await FramedConn.connect({ port });
    await plain.send("hello");
    assertEquals((await events.next("disconnected")).reason, "protocol");
    using silent = await Deno.connect({ port });
    await server.shutdown();

    assertEquals((await events.next("disconnected")).reason, "shutdown");
    assertEquals(await silent.read(new Uint8Array(1)), null);
  },
);

testWithCertificate("serve({ ca }) wants authorities, and a certificate of its own", (pair) => {
  const { cert } = pair;
  const broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";

  assertThrows(() => serve(echo, { ca: cert }), TypeError, "give both the certificate and its key");
  assertThrows(() => serve(echo, { ...pair, ca: "x" }), TypeError, "ca has no certificate");
  assertThrows(() => serve(echo, { ...pair, ca: broken }), Error, "Cannot listen on 127.0.0.1");
  return Promise.resolve();
});

testWithCertificate(
  "FramedConn.connect() with a certificate gives up when its signal aborts",
  async (pair) => {
    using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = silent.addr;
    const controller = new AbortController();
    const { signal } = controller;

    const connecting = FramedConn.connect({ port, signal, tls: pair });
    using _accepted = await silent.accept();
    controller.abort(new Error("enough"));

    await assertRejects(() => connecting, Error, "enough");
    const { key } = pair;
    await assertRejects(() => FramedConn.connect({ port, tls: { key } }), TypeError);
  },
);
