import { assertEquals } from "@std/assert";
import { encodeFrame } from "../../../lib/frame/frame.ts";
import { FaultTrace, summaryText } from "../../../tools/faults/fault_trace.ts";

const at = new Date("2026-01-02T03:04:05.678Z");

Deno.test("FaultTrace.lines() shows a conversation with time, connection and direction", () => {
  const trace = new FaultTrace(true);
  const remoteAddr = { transport: "tcp", hostname: "127.0.0.1", port: 5000 } as const;

  const lines = [
    trace.lines({ type: "connected", id: 1, remoteAddr }, at),
    trace.lines(
      { type: "delivered", frames: 0, id: 1, direction: "up", bytes: encodeFrame("hi") },
      at,
    ),
    trace.lines({ type: "fault", fault: "split", at: 0, bytes: 9, id: 1, direction: "down" }, at),
    trace.lines({
      type: "delivered",
      frames: 0,
      id: 1,
      direction: "down",
      bytes: new Uint8Array(2),
    }, at),
    trace.lines({ type: "fault", fault: "cut", at: 2, bytes: 0, id: 1, direction: "down" }, at),
    trace.lines({ type: "closed", id: 1, reason: "close" }, at),
  ].flat();

  assertEquals(lines, [
    "03:04:05.678 #1 connected from 127.0.0.1:5000",
    '03:04:05.678 #1 → 00 00 00 02  2 bytes  "hi"',
    "03:04:05.678 #1 ← cut at byte 2",
    "03:04:05.678 #1 ← 00 00 -- --  TRUNCATED after 2 of 4 bytes of the header",
    "03:04:05.678 #1 closed: close",
  ]);
});

Deno.test("FaultTrace.lines() follows the frames while it is off", () => {
  const trace = new FaultTrace(false);
  const bytes = encodeFrame("hello");
  const half = (part: Uint8Array) =>
    trace.lines({ type: "delivered", frames: 0, id: 1, direction: "up", bytes: part }, at);

  assertEquals(half(bytes.subarray(0, 6)), []);
  trace.isOn = true;

  assertEquals(half(bytes.subarray(6)), [
    '03:04:05.678 #1 → 00 00 00 05  5 bytes  "hello"  in 2 pieces',
  ]);
});

Deno.test("FaultTrace.lines() tells for how long nobody is let in, and nothing of the beginning", () => {
  const trace = new FaultTrace(true);
  const addr = { transport: "tcp", hostname: "127.0.0.1", port: 5000 } as const;

  assertEquals(trace.lines({ type: "refusing", ms: 50 }, at), [
    "03:04:05.678 refusing new connections for 50 ms",
  ]);
  assertEquals(trace.lines({ type: "listening", addr }, at), []);
});

Deno.test("summaryText() tells connections, bytes, frames and faults", () => {
  const up = { bytes: 12, frames: 2, faults: { split: 3, cut: 1 } };
  const down = { bytes: 0, frames: 0, faults: {} };

  assertEquals(
    summaryText({ connections: 2, up, down }),
    `Connections: 2
Client to server: 12 bytes, 2 frames; faults: split 3, cut 1
Server to client: 0 bytes, 0 frames; faults: none`,
  );
});
