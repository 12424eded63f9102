import { FramedConn } from "../../lib/conn/framed_conn.ts";
import { memoryConnPair } from "../../lib/conn/memory_conn.ts";

const SIZES = { "16 B": 16, "1 KiB": 1024, "64 KiB": 64 * 1024 };
const PIPELINED = 64;

type ConnPair = () => Promise<[Deno.Conn, Deno.Conn]>;

async function echo(conn: FramedConn): Promise<void> {
  for await (const text of conn) await conn.send(text);
}

async function loopbackConnPair(): Promise<[Deno.Conn, Deno.Conn]> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { hostname, port } = listener.addr;
  return await Promise.all([Deno.connect({ hostname, port }), listener.accept()]);
}

/** A client whose messages come back, until it is disposed of. */
async function echoed(connPair: ConnPair): Promise<{ client: FramedConn } & AsyncDisposable> {
  const [near, far] = await connPair();
  const client = new FramedConn(near);
  const server = new FramedConn(far);
  const conversation = echo(server);
  return {
    client,
    async [Symbol.asyncDispose]() {
      client.close();
      await conversation;
      server.close();
    },
  };
}

const CONN_PAIRS: Record<string, ConnPair> = {
  "in memory": () => Promise.resolve(memoryConnPair()),
  "over loopback": loopbackConnPair,
};

for (const [where, connPair] of Object.entries(CONN_PAIRS)) {
  for (const [size, bytes] of Object.entries(SIZES)) {
    const text = "a".repeat(bytes);
    Deno.bench(`FramedConn: echo of ${size} ${where}`, { group: "one by one" }, async (b) => {
      await using pair = await echoed(connPair);
      b.start();
      await pair.client.request(text);
      b.end();
    });
    if (bytes * PIPELINED > 64 * 1024) continue;
    const name = `FramedConn: echo of ${PIPELINED} × ${size} ${where}`;
    Deno.bench(name, { group: "pipelined" }, async (b) => {
      await using pair = await echoed(connPair);
      b.start();
      for (let i = 0; i < PIPELINED; i++) pair.client.send(text);
      for (let i = 0; i < PIPELINED; i++) await pair.client.receive();
      b.end();
    });
  }
}
