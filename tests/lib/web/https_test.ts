import { assertEquals, assertMatch } from "@std/assert";
import { testWithCertificate } from "../../support/certificate.ts";
import { clientFrame, exchange, readAll, serveWeb, upgradeHead } from "./raw_peer.ts";

testWithCertificate(
  "A server with a certificate speaks https and wss, under any name",
  async (pair) => {
    await using server = serveWeb(pair);
    const { port } = server.addr;
    const client = Deno.createHttpClient({ caCerts: [pair.cert] });
    const page = await fetch(`https://127.0.0.1:${port}/`, { client });
    assertEquals(await page.text(), "page\n");
    client.close();

    using conn = await Deno.connectTls({ hostname: "127.0.0.1", port, caCerts: [pair.cert] });
    const names = { Host: "any.example", Origin: "https://any.example" };
    const head = new TextEncoder().encode(upgradeHead(names));
    await conn.write(new Uint8Array([...head, ...clientFrame(1, "hi"), ...clientFrame(8)]));
    const answer = String.fromCharCode(...await readAll(conn));

    assertMatch(answer, /^HTTP\/1\.1 101 /);
    assertEquals(answer.split("\r\n\r\n")[1], "\x81\x02hi\x88\x00");
  },
);

testWithCertificate("A server with a certificate tells a request without TLS so", async (pair) => {
  await using server = serveWeb(pair);

  const answer = await exchange(server, "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");

  assertMatch(answer, /^HTTP\/1\.1 400 [^]*https:\/\//);
});
