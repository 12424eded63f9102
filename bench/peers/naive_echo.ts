/**
 * The echo as one writes it first: two reads and two writes for each message.
 *
 * It prints its port; the end of input ends it.
 *
 * @module
 */

/** Fills `bytes`, and tells whether the peer sent enough for that. */
async function readFull(conn: Deno.Conn, bytes: Uint8Array): Promise<boolean> {
  for (let at = 0; at < bytes.length;) {
    const n = await conn.read(bytes.subarray(at));
    if (n === null) return false;
    at += n;
  }
  return true;
}

async function writeFull(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  while (bytes.length > 0) bytes = bytes.subarray(await conn.write(bytes));
}

async function echo(conn: Deno.TcpConn): Promise<void> {
  using _ = conn;
  conn.setNoDelay(true);
  const header = new Uint8Array(4);
  const length = new DataView(header.buffer);
  while (await readFull(conn, header)) {
    const body = new Uint8Array(length.getUint32(0));
    if (!await readFull(conn, body)) return;
    const text = new TextDecoder().decode(body);
    const answer = new TextEncoder().encode(text);
    length.setUint32(0, answer.length);
    await writeFull(conn, header);
    await writeFull(conn, answer);
  }
}

async function serve(listener: Deno.Listener<Deno.TcpConn>): Promise<void> {
  for await (const conn of listener) echo(conn).catch(() => {/* The peer is gone. */});
}

const listener = Deno.listen({ hostname: "127.0.0.1", port: 0, tcpBacklog: 4096 });
console.log(listener.addr.port);
serve(listener);
for await (const _ of Deno.stdin.readable);
Deno.exit();
