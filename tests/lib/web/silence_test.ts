import { assertEquals } from "@std/assert";
import { stub } from "@std/testing/mock";
import { FakeTime } from "@std/testing/time";
import { memoryConnPair } from "../../../lib/conn/memory_conn.ts";
import { Conversation } from "../../../lib/server/conversation.ts";
import { RecentBrowsers } from "../../../lib/server/http_protocol.ts";
import { connInfoOf } from "../../../lib/server/server_events.ts";

/** Runs a conversation whose handler speaks first, and gives what its peer was sent so far. */
function greet(browsers: RecentBrowsers) {
  const [client, accepted] = memoryConnPair();
  const http = { silenceMs: 200, browsers, open: () => assertNever() };
  const info = connInfoOf(accepted, 1);
  const conversation = new Conversation(accepted as unknown as Deno.TcpConn, info, { http });
  const over = conversation.run(async (conn) => {
    await conn.send("Who are you?");
    await conn.receive();
  });
  let sent = "";
  const spoken = Promise.withResolvers<void>();
  const reading = (async () => {
    const buffer = new Uint8Array(1024);
    for (let n; (n = await client.read(buffer)) !== null;) {
      sent += String.fromCharCode(...buffer.subarray(0, n));
      spoken.resolve();
    }
  })();
  const end = async () => {
    await client.closeWrite();
    await Promise.all([over, reading]);
    client.close();
  };
  return { client, sent: () => sent, spoken: spoken.promise, end };
}

/** Waits for the greeting, checks that nothing else came, and ends the conversation. */
async function assertGreeted(peer: ReturnType<typeof greet>): Promise<void> {
  await peer.spoken;
  assertEquals(peer.sent(), "\0\0\0\x0cWho are you?");
  await peer.end();
}

Deno.test("A handler that speaks first waits a moment for a request, and then speaks", async () => {
  using time = new FakeTime();
  const peer = greet(new RecentBrowsers());

  await time.tickAsync(199);
  assertEquals(peer.sent(), "");
  await time.tickAsync(1);
  await assertGreeted(peer);
});

Deno.test("A handler that speaks first waits until a browser at the address has given up its spare connections", async () => {
  using time = new FakeTime();
  using _clock = stub(performance, "now", () => time.now);
  const browsers = new RecentBrowsers();
  const first = greet(browsers);
  await time.tickAsync(200);
  await first.spoken;
  await first.client.write(new TextEncoder().encode("GET / HTTP/1.1\r\n"));
  const ended = first.end();
  await time.tickAsync(10);
  await ended;

  const second = greet(browsers);
  await time.tickAsync(9900);
  assertEquals(second.sent(), "");
  await time.tickAsync(100);
  await assertGreeted(second);
});

Deno.test("A handler that speaks first does not wait for who comes when a browser has its page", async () => {
  using time = new FakeTime();
  using _clock = stub(performance, "now", () => time.now);
  const browsers = new RecentBrowsers();
  browsers.note("127.0.0.1");
  await time.tickAsync(2001);
  const peer = greet(browsers);

  await time.tickAsync(200);
  await assertGreeted(peer);
});

function assertNever(): never {
  throw new Error("No request came");
}
