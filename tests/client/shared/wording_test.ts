import { assertEquals, assertMatch } from "@std/assert";
import { receiveNext } from "../../../client/line/received.ts";
import { reasonOf } from "../../../client/shared/wording.ts";
import { FramedConn } from "../../../lib/conn/framed_conn.ts";
import { ScriptedConn } from "../../../lib/conn/scripted_conn.ts";

// What a server that speaks TLS answers to a frame: an alert that the peer's record is none.
const TLS_ALERT = new Uint8Array([0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x0a]);

async function errorOn(bytes: Uint8Array): Promise<unknown> {
  using conn = new FramedConn(new ScriptedConn({ reads: [bytes, null] }));
  return await conn.receive().catch((error) => error);
}

Deno.test("reasonOf() knows a server that speaks TLS", async () => {
  assertEquals(
    reasonOf(await errorOn(TLS_ALERT)),
    "the server speaks TLS: start the client with --tls",
  );
});

Deno.test("reasonOf() tells how to trust a certificate that nobody known has signed", () => {
  const error = new Deno.errors.InvalidData("invalid peer certificate: UnknownIssuer");

  assertEquals(
    reasonOf(error),
    "invalid peer certificate: UnknownIssuer: trust its certificate with --ca FILE",
  );
});

Deno.test("reasonOf() gives the message of another error", async () => {
  const tooLong = await errorOn(new Uint8Array([0x15, 0x04, 0x03, 0x00]));

  assertMatch(reasonOf(tooLong), /^Cannot receive a body of \d+ bytes/);
  assertEquals(reasonOf("thrown"), "thrown");
});

Deno.test("receiveNext() ends with the reason for a person", async () => {
  using conn = new FramedConn(new ScriptedConn({ reads: [TLS_ALERT, null] }));

  const received = await receiveNext(conn, () => undefined);

  assertEquals(received.kind === "end" && received.reason, reasonOf(await errorOn(TLS_ALERT)));
});
