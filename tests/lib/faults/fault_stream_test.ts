import { assert, assertEquals, assertLess, assertNotEquals, assertThrows } from "@std/assert";
import type { Socket } from "node:net";
import { FaultLink } from "../../../lib/faults/fault_link.ts";
import { type FaultAction, FaultStream } from "../../../lib/faults/fault_stream.ts";
import type { Faults } from "../../../lib/faults/fault_options.ts";
import { encodeFrame } from "../../../lib/frame/frame.ts";
import { seededRandom } from "../../../lib/base/seeded_random.ts";
import { turns } from "../../support/turns.ts";

const bytes = (...values: number[]) => new Uint8Array(values);

/** All actions for a stream that arrives in these chunks. */
function run(faults: Faults, chunks: Uint8Array[], seed = 1): FaultAction[] {
  const stream = new FaultStream(faults, seed);
  const actions: FaultAction[] = [];
  for (const chunk of chunks) {
    actions.push(...stream.push(chunk));
    if (actions.at(-1)?.type === "cut") break;
  }
  return actions;
}

function pieces(actions: FaultAction[]): number[][] {
  return actions.flatMap((action) => action.type === "piece" ? [[...action.bytes]] : []);
}

function delivered(actions: FaultAction[]): number[] {
  return pieces(actions).flat();
}

function faultsIn(actions: FaultAction[]): string[] {
  return actions.flatMap((action) => action.type === "fault" ? `${action.fault}@${action.at}` : []);
}

function ramp(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => at);
}

/** Divides a stream at random places. */
function chop(stream: Uint8Array, seed: number): Uint8Array[] {
  const random = seededRandom(seed);
  const chunks = [];
  for (let at = 0; at < stream.length;) {
    const length = 1 + Math.floor(random() * 40);
    chunks.push(stream.subarray(at, at + length));
    at += length;
  }
  return chunks;
}

const frames = Uint8Array.from(
  Array.from({ length: 30 }, (_, at) => [...encodeFrame("x".repeat(at % 7))]).flat(),
);

Deno.test("FaultStream.push() passes everything on when there are no faults", () => {
  const actions = run({}, [bytes(1, 2), bytes(), bytes(3)]);

  assertEquals(actions, [
    { type: "piece", bytes: bytes(1, 2), latencyMs: 0, spacingMs: 0 },
    { type: "piece", bytes: bytes(3), latencyMs: 0, spacingMs: 0 },
  ]);
});

Deno.test("FaultStream.push() splits at multiples of splitBytes, however the bytes arrive", () => {
  assertEquals(pieces(run({ splitBytes: 3 }, [ramp(7)])), [[0, 1, 2], [3, 4, 5], [6]]);
  assertEquals(pieces(run({ splitBytes: 3 }, [ramp(7).subarray(0, 2), ramp(7).subarray(2)])), [
    [0, 1],
    [2],
    [3, 4, 5],
    [6],
  ]);
  assertEquals(faultsIn(run({ splitBytes: 4 }, [ramp(4), ramp(5)])), ["split@4"]);
});

Deno.test("FaultStream.push() delays every piece, with a jitter of its own place", () => {
  const actions = run({ delayMs: 50, jitterMs: 10, splitBytes: 1 }, [ramp(100)]);

  const latencies = actions.flatMap((a) => a.type === "piece" ? [a.latencyMs] : []);
  assert(latencies.every((ms) => ms >= 50 && ms < 60));
  assert(new Set(latencies).size > 50);
  assertEquals(run({ delayMs: 50 }, [ramp(1)])[0], {
    type: "piece",
    bytes: bytes(0),
    latencyMs: 50,
    spacingMs: 0,
  });
});

Deno.test("FaultStream.push() spreads bytes over time at a limited rate", () => {
  const actions = run({ bytesPerSecond: 200 }, [ramp(100)]);

  const spacings = actions.flatMap((a) => a.type === "piece" ? [a.spacingMs] : []);
  assertEquals(spacings, Array(10).fill(50));
  assertEquals(pieces(run({ bytesPerSecond: 1 }, [ramp(3)])), [[0], [1], [2]]);
});

Deno.test("FaultStream.push() stalls once, at its place", () => {
  const faults = { stallMs: 500, stallAfterBytes: 3 };
  const actions = run(faults, [ramp(5), ramp(5)]);

  assertEquals(pieces(actions).map((piece) => piece.length), [3, 2, 5]);
  const spacings = actions.flatMap((a) => a.type === "piece" ? [a.spacingMs] : []);
  assertEquals(spacings, [0, 500, 0]);
  assertEquals(faultsIn(actions), ["stall@3", "split@0"]);
});

Deno.test("FaultStream.push() cuts after cutAfterBytes", () => {
  for (const cutAfterBytes of [0, 1, 4, 5, 10]) {
    const actions = run({ cutAfterBytes }, [ramp(5), ramp(5)]);

    assertEquals(delivered(actions).length, cutAfterBytes);
    assertEquals(actions.at(-1), { type: "cut", by: "close" });
    assertEquals(faultsIn(actions), [`cut@${cutAfterBytes}`]);
  }
  assertEquals(delivered(run({ cutAfterBytes: 11 }, [ramp(5), ramp(5)])).length, 10);
  const atOnce = run({ cutAfterBytes: 0, cutBy: "reset" }, [bytes()]);
  assertEquals(atOnce.at(-1), { type: "cut", by: "reset" });
});

Deno.test("FaultStream.push() cuts inside the header or the body of a frame, or of the next that has one", () => {
  const stream = Uint8Array.from(["ab", "", "cdef", "g"].flatMap((t) => [...encodeFrame(t)]));
  const lengths = (faults: Faults) => {
    const all = Array.from({ length: 50 }, (_, seed) => delivered(run(faults, [stream], seed)));
    return [...new Set(all.map(({ length }) => length))].sort((a, b) => a - b);
  };

  assertEquals(lengths({ cutInHeader: 2 }), [7, 8, 9]);
  assertEquals(lengths({ cutInBody: 2 }), [15, 16, 17]);
  assertEquals(lengths({ cutInBody: 4 }), [stream.length - 1]);
  assertEquals(lengths({ cutInBody: 3, cutAfterBytes: 2 }), [2], "the first of several cuts");
  assertEquals(lengths({ cutInHeader: 1, cutAfterBytes: 16 }), [1, 2, 3]);
});

Deno.test("FaultStream.push() swallows everything, and still cuts", () => {
  const actions = run({ swallow: true, cutAfterBytes: 7 }, [ramp(5), ramp(5)]);

  assertEquals(actions.map((action) => action.type), ["fault", "fault", "fault", "cut"]);
  assertEquals(faultsIn(actions), ["swallow@0", "swallow@5", "cut@7"]);
});

Deno.test("FaultStream.push() flips a bit in, and inserts a byte before, about every so many bytes", () => {
  const zeros = new Uint8Array(10_000);
  for (const [rate, least, most] of [[0, 0, 0], [1e-17, 0, 0], [0.01, 60, 150], [1, 1e4, 1e4]]) {
    const flips = run({ flipRate: rate! }, [zeros]);
    const flipped = delivered(flips).filter((byte) => byte !== 0);
    assert(flipped.length >= least! && flipped.length <= most!, `${flipped.length} flipped`);
    assert(flipped.every((byte) => Math.log2(byte) % 1 === 0));
    assertEquals(faultsIn(flips).length, flipped.length);

    const inserts = run({ insertRate: rate! }, [zeros]);
    const inserted = delivered(inserts).length - zeros.length;
    assert(inserted >= least! && inserted <= most!, `${inserted} inserted`);
    assertEquals(faultsIn(inserts).length, inserted);
    if (rate !== 1) continue;
    assertEquals([new Set(flipped).size, new Set(delivered(inserts)).size], [8, 256]);
  }
  assertEquals(delivered(run({ insertRate: 1, flipRate: 1 }, [ramp(50)])).length, 100);
});

Deno.test("FaultStream.push() does the same to the same stream, however it arrives, and else for another seed", () => {
  const faults: Faults[] = [
    { flipRate: 0.05, insertRate: 0.05, splitBytes: 3 },
    { cutInHeader: 20, flipRate: 0.1 },
    { cutInBody: 9, insertRate: 0.1 },
    { cutAfterBytes: 77, insertRate: 0.1, bytesPerSecond: 60 },
  ];
  for (const combination of faults) {
    const expected = run(combination, [frames], 7);
    const striking = (actions: FaultAction[]) =>
      faultsIn(actions).filter((fault) => !fault.startsWith("split"));
    for (let chopping = 0; chopping < 100; chopping++) {
      const actions = run(combination, chop(frames, chopping), 7);
      assertEquals(delivered(actions), delivered(expected));
      assertEquals(striking(actions), striking(expected));
      assertEquals(actions.at(-1)?.type === "cut", expected.at(-1)?.type === "cut");
    }
    assertNotEquals(delivered(run(combination, [frames], 8)), delivered(expected));
  }
});

Deno.test("FaultStream.faults can be changed between two bytes, also to a cut whose place has passed", () => {
  for (const next of [bytes(), ramp(9)]) {
    const stream = new FaultStream({ splitBytes: 1 }, 1);
    assertEquals(pieces([...stream.push(ramp(2))]), [[0], [1]]);

    stream.faults = { cutAfterBytes: 1 };
    const after = [...stream.push(next)];

    assertEquals([delivered(after), after.at(-1)], [[], { type: "cut", by: "close" }]);
  }
});

Deno.test("FaultStream.faults stalls again when a new stall is set, not when another fault is", () => {
  const stream = new FaultStream({ stallMs: 5 }, 1);
  const stalls = () => faultsIn([...stream.push(ramp(1))]).length;

  assertEquals(stalls(), 1);
  stream.faults = { stallMs: 5, flipRate: 0 };
  assertEquals(stalls(), 0);
  stream.faults = { stallMs: 6 };
  assertEquals(stalls(), 1);
});

Deno.test("FaultStream.faults refuses numbers that make no sense", () => {
  for (
    const faults of [
      { splitBytes: 0 },
      { splitBytes: 1.5 },
      { stallAfterBytes: 0.5 },
      { cutAfterBytes: 0.5 },
      { delayMs: -1 },
      { flipRate: 1.1 },
      { bytesPerSecond: 0 },
      { cutInHeader: 0 },
      { cutInBody: 0 },
      { mergeMs: -1 },
      { stallMs: NaN },
    ]
  ) {
    assertThrows(() => new FaultStream(faults, 1), RangeError, Object.keys(faults)[0]!);
    assertThrows(() => new FaultStream({}, 1).faults = faults, RangeError);
  }
});

Deno.test("FaultLink reads no more small chunks than it may hold while a delay holds them back", async () => {
  let read = 0;
  async function* iterator() {
    for (; read < 100_000; read++) yield await Promise.resolve(Uint8Array.of(1));
  }
  const stream = new FaultStream({ delayMs: 60_000 });
  const source = { iterator } as unknown as Socket;
  const link = new FaultLink(source, { end: () => {} } as unknown as Socket, stream, () => {});

  const ended = link.run();
  await turns(50);
  link.stop();
  await ended;

  assertLess(read, 5_000);
});
