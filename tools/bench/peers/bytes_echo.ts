/**
 * What the runtime allows: all whole frames of a read go back as the bytes they came in, with one write.
 *
 * There are no messages in it, no texts and no limits. It prints its port; the end of input ends it.
 *
 * @module
 */

/** Where the last whole frame ends. */
function endOfFrames(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, 0, bytes.length);
  let end = 0;
  while (bytes.length - end >= 4) {
    const next = end + 4 + view.getUint32(end);
    if (next > bytes.length) break;
    end = next;
  }
  return end;
}

async function echo(conn: Deno.TcpConn): Promise<void> {
  using _ = conn;
  conn.setNoDelay(true);
  let buffer = new Uint8Array(64 * 1024);
  let received = 0;
  for (;;) {
    const n = await conn.read(buffer.subarray(received));
    if (n === null) return;
    received += n;
    const whole = endOfFrames(buffer.subarray(0, received));
    for (let at = 0; at < whole;) at += await conn.write(buffer.subarray(at, whole));
    const rest = buffer.subarray(whole, received);
    if (received === buffer.length && whole === 0) buffer = new Uint8Array(2 * buffer.length);
    buffer.set(rest);
    received = rest.length;
  }
}

const listener = Deno.listen({ hostname: "127.0.0.1", port: 0, tcpBacklog: 4096 });
console.log(listener.addr.port);
(async () => {
  for await (const conn of listener) echo(conn).catch(() => {/* The peer is gone. */});
})();
for await (const _ of Deno.stdin.readable);
Deno.exit();
