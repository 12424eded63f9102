/**
 * The echo as one writes it first: two reads and two writes for each message.
 *
 * @module
 */
import { servePlain } from "./serve_plain.ts";

/** Fills `bytes`, and returns whether the peer sent enough for that. */
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

await servePlain(echo);
