import { encodeFrame } from "../../lib/frame/frame.ts";
import { FramedConn } from "../../lib/conn/framed_conn.ts";
import { memoryAddr, MemoryConn } from "../../lib/conn/memory_conn.ts";
import { Outbox } from "../../lib/chat/outbox.ts";
import { Room } from "../../lib/chat/room.ts";

const BURST = 16;
const frame = encodeFrame("a".repeat(128));
const addr = memoryAddr("127.0.0.1", 9090);

/** A connection to nowhere: it takes every byte at once. */
function sinkConn(): FramedConn {
  const source = { take: () => null, abandon() {} };
  const sink = { put: (bytes: Uint8Array) => bytes.length, end() {} };
  return new FramedConn(new MemoryConn(source, sink, addr, addr));
}

for (const members of [100, 1000]) {
  const conns = Array.from({ length: members }, sinkConn);
  const room = new Room<Uint8Array>();
  conns.forEach((conn, i) => {
    const outbox = new Outbox(conn, { onOverflow: () => conn.abort() });
    const deliver = (frame: Uint8Array) => outbox.deliver(frame);
    room.join({ name: `member ${i}`, key: `${i}`, deliver });
  });
  for (const messages of [1, BURST]) {
    const name = `Room and Outbox: ${messages} × 128 B to ${members} members, until written`;
    Deno.bench(name, { group: `${members} members` }, async () => {
      for (let i = 0; i < messages; i++) room.broadcast(frame);
      await Promise.all(conns.map((conn) => conn.flush()));
    });
  }
}
