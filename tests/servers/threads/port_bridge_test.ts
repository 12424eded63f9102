import { assert, assertEquals, assertLessOrEqual, assertRejects } from "@std/assert";
import { MessageChannel } from "node:worker_threads";
import { FramedConn } from "../../../lib/conn/framed_conn.ts";
import { memoryConnPair } from "../../../lib/conn/memory_conn.ts";
import { pumpIn, pumpOut } from "../../../servers/threads/port_bridge.ts";
import { PortPipe } from "../../../servers/threads/port_pipe.ts";
import { isPending, turns } from "../../support/turns.ts";

const { BrokenPipe } = Deno.errors;

/** A peer, the conn that it talks to, and a pipe to another thread, with its other end. */
class Bridge implements Disposable {
  readonly peer: Deno.Conn;
  readonly conn: FramedConn;
  readonly near: PortPipe;
  readonly far: PortPipe;

  constructor() {
    const [peer, conn] = memoryConnPair({ highWaterMarkBytes: 1024 * 1024 });
    const { port1, port2 } = new MessageChannel();
    this.peer = peer;
    this.conn = new FramedConn(conn);
    this.near = new PortPipe(port1 as unknown as MessagePort);
    this.far = new PortPipe(port2 as unknown as MessagePort);
  }

  [Symbol.dispose](): void {
    for (const part of [this.peer, this.conn, this.near, this.far]) part[Symbol.dispose]();
  }
}

Deno.test("pumpIn() passes on what arrives in chunks of 1 to 64 KiB, then the end", async () => {
  using bridge = new Bridge();
  const sent = Uint8Array.from({ length: 200_000 }, (_, at) => at % 251);
  assertEquals(await bridge.peer.write(sent), sent.length);
  await bridge.peer.closeWrite();
  const chunks: Uint8Array[] = [];

  const pumping = pumpIn(bridge.conn, bridge.near);
  for (let chunk; (chunk = await bridge.far.takeChunk()) !== null;) chunks.push(chunk);
  await pumping;

  assertEquals(chunks.flatMap((chunk) => [...chunk]), [...sent]);
  const buffers = chunks.map(({ buffer }) => buffer.byteLength);
  assertEquals(Math.min(...buffers), 1024);
  assertEquals(Math.max(...buffers), 64 * 1024);
});

Deno.test("pumpIn() moves small buffers again when little arrives", async () => {
  using bridge = new Bridge();
  await bridge.peer.write(new Uint8Array(200_000));
  const pumping = pumpIn(bridge.conn, bridge.near);
  for (let bytes = 0; bytes < 200_000;) bytes += (await bridge.far.takeChunk())!.length;

  let bufferBytes = 0;
  for (let n = 0; n < 9; n++) {
    await bridge.peer.write(new Uint8Array(1));
    bufferBytes = (await bridge.far.takeChunk())!.buffer.byteLength;
  }

  assertLessOrEqual(bufferBytes, 1024);
  await bridge.peer.closeWrite();
  await pumping;
});

Deno.test("pumpIn() tells the other end nothing when reading was closed here", async () => {
  using bridge = new Bridge();
  const pumping = pumpIn(bridge.conn, bridge.near);
  const taking = bridge.far.takeChunk();

  bridge.conn.closeRead();
  await pumping;

  assert(await isPending(taking));
  bridge.near.end();
  assertEquals(await taking, null);
});

Deno.test("pumpOut() tells the other end why the peer cannot be written to", async () => {
  using bridge = new Bridge();
  const pumping = assertRejects(() => pumpOut(bridge.near, bridge.conn), BrokenPipe);
  const taking = assertRejects(() => bridge.far.takeChunk(), BrokenPipe);
  bridge.peer.close();

  // The first write after the peer has closed succeeds, as on a socket.
  for (let n = 0; n < 3; n++) {
    bridge.far.give(new Uint8Array(1));
    await turns();
  }

  await pumping;
  await taking;
});
