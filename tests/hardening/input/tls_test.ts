import { assertEquals, assertRejects } from "@std/assert";
import { FramedConn } from "../../../lib/conn/framed_conn.ts";
import { serve } from "../../../lib/server/server.ts";
import { testWithCertificate } from "../../support/certificate.ts";
import { echo } from "../../support/served.ts";

// The whole of 127.0.0.0/8 is this machine on Linux only.
if (Deno.build.os === "linux") {
  testWithCertificate(
    "FramedConn.connect({ tls }) refuses a server whose certificate is for another address",
    async ({ cert, key }) => {
      const hostname = "127.0.0.2";
      await using server = serve(echo, { hostname, cert, key });
      const { port } = server.addr;
      const heard: string[] = [];

      await assertRejects(async () => {
        using conn = await FramedConn.connect({ hostname, port, tls: { caCerts: [cert] } });
        heard.push(await conn.request("a password") ?? "");
      }, Deno.errors.InvalidData);

      assertEquals(heard, []);
    },
  );
}

testWithCertificate(
  "serve({ cert, key }) does not take up a conversation that was begun in clear",
  async ({ cert, key }) => {
    const texts: string[] = [];
    await using server = serve(async (conn) => {
      for await (const text of conn) texts.push(text);
    }, { cert, key });
    using plain = await FramedConn.connect({ port: server.addr.port });

    await plain.send("a password in clear");
    const end = await plain.receive().catch((error) => error.constructor.name);

    // An alert of TLS is no frame: whatever the client makes of it, it is no answer.
    assertEquals(typeof end === "string" && end.includes("password"), false);
    assertEquals(texts, []);
  },
);
