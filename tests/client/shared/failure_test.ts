import { assertEquals, assertStringIncludes } from "@std/assert";
import { clientCommand, explainFailure, WrongClientError } from "../../../client/shared/failure.ts";
import { FramedConn } from "../../../lib/conn/framed_conn.ts";
import { ScriptedConn } from "../../../lib/testing/scripted_conn.ts";
import { goodbyeText } from "../../../lib/server/end_reason.ts";
import { serve } from "../../../lib/server/server.ts";
import { testWithCertificate } from "../../support/certificate.ts";

async function errorOn(bytes: Uint8Array): Promise<unknown> {
  using conn = new FramedConn(new ScriptedConn({ reads: [bytes, null] }));
  return await conn.receive().catch((error) => error);
}

const FIRST_BYTES: [start: string, reason: string][] = [
  ["\x15\x03\x03\0\x02\x02\x0a", "the server speaks TLS: add --tls"],
  ["HTTP/1.1 400", "this is an HTTP server: open it in a browser, or check the port"],
  ["<!DOCTYPE HTML>", "this is an HTTP server: open it in a browser, or check the port"],
  ["SSH-2.0-x", "this is an SSH server: check the port"],
  ["220 mail", "the server speaks a text protocol, not frames: check the port"],
  ["J\0\0\0\n8.0", "the server does not speak this protocol: check the port"],
];

for (const [start, reason] of FIRST_BYTES) {
  Deno.test(`explainFailure() knows a server that begins with ${JSON.stringify(start)}`, async () => {
    const error = await errorOn(Uint8Array.from(start, (char) => char.charCodeAt(0)));

    assertEquals(explainFailure(error), { reason, isFinal: true });
  });
}

Deno.test("explainFailure() does not take a long message for another protocol", async () => {
  const { reason, isFinal } = explainFailure(await errorOn(new Uint8Array([0, 0x20, 0, 0])));

  assertEquals(isFinal, false);
  assertStringIncludes(reason, "2097152 bytes");
});

Deno.test("explainFailure() lets a client try again while nothing listens", () => {
  const refused = new Deno.errors.ConnectionRefused("Connection refused (os error 111)");

  assertEquals(explainFailure(refused), { reason: "Connection refused", isFinal: false });
});

Deno.test("explainFailure() escapes what a certificate says", () => {
  const error = new Deno.errors.InvalidData("invalid peer certificate: \x1b[2J");

  assertEquals(explainFailure(error, { tls: true }).reason, "the TLS handshake failed: \\x1b[2J");
});

Deno.test("explainFailure() knows a server without TLS", async () => {
  await using server = serve((conn) => conn.receive(), { goodbye: goodbyeText });

  const error = await FramedConn.connect({ port: server.addr.port, tls: {} }).catch((e) => e);

  const reason = "the server does not speak TLS: omit --tls";
  assertEquals(explainFailure(error, { tls: true }), { reason, isFinal: true });
});

testWithCertificate("explainFailure() names a wrong authority", async ({ cert, key }) => {
  await using server = serve(() => {}, { port: 0, cert, key });
  const error = await FramedConn.connect({ port: server.addr.port, tls: {} }).catch((e) => e);

  assertStringIncludes(explainFailure(error, { tls: true }).reason, "with --ca FILE");
  assertStringIncludes(explainFailure(error, { tls: true, ca: "x.pem" }).reason, "x.pem did not");
});

Deno.test("explainFailure() says which name a certificate is for", () => {
  const error = new Deno.errors.InvalidData(
    'invalid peer certificate: certificate not valid for name "localhost"; certificate is only valid for ' +
      'DnsName("example.org") or IpAddress(10.0.0.1)',
  );

  assertEquals(explainFailure(error, { tls: true }), {
    reason: "the server's certificate is for example.org or 10.0.0.1, not for localhost: " +
      "pass that name with --host",
    isFinal: true,
  });
});

Deno.test("WrongClientError names the command that talks to the server", () => {
  const error = new WrongClientError("chat", { host: "::1", port: 1, tls: true, ca: "a.pem" });

  assertStringIncludes(error.message, "deno task chat:client --host ::1 --port 1 --tls --ca a.pem");
  assertEquals(explainFailure(error).isFinal, true);
  assertEquals(clientCommand("lines"), "deno task client");
});
