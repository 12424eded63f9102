import {
  assertEquals,
  assertGreaterOrEqual,
  assertLessOrEqual,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { spy, stub } from "@std/testing/mock";
import { FakeTime } from "@std/testing/time";
import { FrameTooLargeError } from "../../../lib/frame/frame.ts";
import {
  backoff,
  MAX_RETRY_AFTER_MS,
  Reconnector,
  type ReconnectWait,
} from "../../../lib/conn/reconnect.ts";

const REFUSED = new Deno.errors.ConnectionRefused("refused");

function take(count: number, delays: Iterator<number>): number[] {
  return Array.from({ length: count }, () => delays.next().value);
}

/** An `open` that fails `failures` times and then succeeds for ever, and the number of its calls. */
function opener(failures: number, error: Error = REFUSED) {
  const state = { calls: 0, open: () => Promise.resolve("conn") };
  state.open = () => ++state.calls <= failures ? Promise.reject(error) : Promise.resolve("conn");
  return state;
}

/** Lets fake time pass until `pending` settles. */
async function inFakeTime<T>(time: FakeTime, pending: Promise<T>): Promise<T> {
  let settled = false;
  const mark = () => settled = true;
  pending.then(mark, mark);
  while (!settled) await time.nextAsync();
  return await pending;
}

Deno.test("backoff() doubles from minMs up to maxMs, and is never below half of that", () => {
  {
    using _random = stub(Math, "random", () => 1);
    assertEquals(
      take(6, backoff({ minMs: 100, maxMs: 1000 })),
      [100, 200, 400, 800, 1000, 1000],
    );
    assertEquals(take(2, backoff({ minMs: 900, maxMs: 300 })), [300, 300]);
  }
  using _random = stub(Math, "random", () => 0);
  assertEquals(take(3, backoff({ minMs: 0, maxMs: 100, factor: Infinity })), [0, 50, 50]);
  assertEquals(take(4, backoff({ minMs: 100, maxMs: 400 })), [50, 100, 200, 200]);
});

Deno.test("backoff() starts at a quarter second and stays under fifteen by default", () => {
  const delays = take(50, backoff());

  assertGreaterOrEqual(delays[0]!, 125);
  assertGreaterOrEqual(250, delays[0]!);
  assertGreaterOrEqual(15_000, Math.max(...delays));
});

Deno.test("Reconnector.connect() tells each wait and its reason until the server is there", async () => {
  using _random = stub(Math, "random", () => 1);
  using time = new FakeTime();
  const waits: ReconnectWait[] = [];
  const server = opener(3);
  const reconnector = new Reconnector(server.open, {
    onWait: (w) => waits.push(w),
  });

  const conn = await inFakeTime(time, reconnector.connect());

  assertEquals(conn, "conn");
  assertEquals(waits, [
    { attempt: 1, delayMs: 250, error: REFUSED },
    { attempt: 2, delayMs: 500, error: REFUSED },
    { attempt: 3, delayMs: 1000, error: REFUSED },
  ]);
});

Deno.test("Reconnector.connect() does not try again before the wait is over", async () => {
  using _random = stub(Math, "random", () => 1);
  using time = new FakeTime();
  const server = opener(1);
  const waiting = Promise.withResolvers<void>();
  const connected = new Reconnector(server.open, {
    onWait: () => waiting.resolve(),
  })
    .connect();
  await waiting.promise;

  await time.tickAsync(249);
  const callsBefore = server.calls;
  await time.tickAsync(1);

  assertEquals([callsBefore, await connected, server.calls], [1, "conn", 2]);
});

Deno.test("Reconnector.connect() waits longer after each connection that died young", async () => {
  using _random = stub(Math, "random", () => 1);
  using time = new FakeTime();
  using _clock = stub(performance, "now", () => time.now);
  const delays: number[] = [];
  const reconnector = new Reconnector(opener(0).open, {
    onWait: ({ delayMs }) => delays.push(delayMs),
  });

  for (let lost = 0; lost < 4; lost++) {
    await inFakeTime(time, reconnector.connect());
    await time.tickAsync(4999);
  }

  assertEquals(delays, [250, 500, 1000]);
});

Deno.test("Reconnector.connect() starts again at minMs after a connection that lived", async () => {
  using _random = stub(Math, "random", () => 1);
  using time = new FakeTime();
  using _clock = stub(performance, "now", () => time.now);
  const waits: ReconnectWait[] = [];
  const reconnector = new Reconnector(opener(2).open, {
    onWait: (w) => waits.push(w),
  });

  await inFakeTime(time, reconnector.connect());
  await time.tickAsync(5000);
  await inFakeTime(time, reconnector.connect({ error: REFUSED }));

  assertEquals(waits.at(-1), { attempt: 1, delayMs: 250, error: REFUSED });
});

Deno.test("Reconnector.connect() stays away for as long as the server asked, and the jitter on top", async () => {
  using _random = stub(Math, "random", () => 1);
  using time = new FakeTime();
  const delays: number[] = [];
  const reconnector = new Reconnector(opener(0).open, {
    onWait: ({ delayMs }) => delays.push(delayMs),
  });
  await reconnector.connect();

  await inFakeTime(time, reconnector.connect({ retryAfterMs: 2000 }));

  assertEquals(delays, [2250]);
});

Deno.test("Reconnector.connect() grants no nonsense as retryAfterMs", async () => {
  using _random = stub(Math, "random", () => 1);
  using time = new FakeTime();
  const delays: number[] = [];
  const reconnector = new Reconnector(opener(0).open, {
    maxMs: 250,
    onWait: ({ delayMs }) => delays.push(delayMs),
  });
  await reconnector.connect();

  for (const retryAfterMs of [NaN, -5, 1e18, Infinity, undefined]) {
    await inFakeTime(time, reconnector.connect({ retryAfterMs }));
  }

  const longest = MAX_RETRY_AFTER_MS + 250;
  assertEquals(delays, [250, 250, longest, longest, 250]);
});

for (
  const options of [
    { minMs: 2 ** 32, maxMs: Infinity },
    { minMs: Infinity, maxMs: Infinity },
    { minMs: Infinity, maxMs: Infinity, factor: 0 },
    { minMs: 60_000, factor: 0 },
    { minMs: 60_000, factor: Infinity },
    { minMs: 2 ** 31 - 1, maxMs: 2 ** 31 - 1 },
  ]
) {
  Deno.test(`Reconnector.connect() does not hammer with ${Deno.inspect(options)}`, async () => {
    using time = new FakeTime();
    const controller = new AbortController();
    const { open } = opener(Infinity);
    const delays: number[] = [];
    const connected = new Reconnector(open, {
      ...options,
      signal: controller.signal,
      onWait: ({ delayMs }) => delays.push(delayMs),
    }).connect();

    await time.tickAsync(20 * 60_000);
    controller.abort(new Error("enough"));
    await assertRejects(() => connected, Error, "enough");

    assertLessOrEqual(delays.length, 1 + 20 * 2 * 4);
    for (const delayMs of delays) {
      assertGreaterOrEqual(delayMs, 7500);
      assertLessOrEqual(delayMs, 2 ** 31 - 1);
    }
  });
}

Deno.test("Reconnector.connect() ends at once when the listener of its waits aborts", async () => {
  using _time = new FakeTime();
  const controller = new AbortController();
  const onWait = () => controller.abort(new Error("enough"));
  const reconnector = new Reconnector(opener(9).open, { signal: controller.signal, onWait });

  await assertRejects(() => reconnector.connect(), Error, "enough");
});

Deno.test("Reconnector.connect() leaves no timer when the signal ends a wait", async () => {
  const controller = new AbortController();
  const onWait = () => queueMicrotask(() => controller.abort(new Error("enough")));
  const reconnector = new Reconnector(opener(9).open, { signal: controller.signal, onWait });

  await assertRejects(() => reconnector.connect(), Error, "enough");
});

Deno.test("Reconnector.connect() leaves no listener at the signal after a wait", async () => {
  using time = new FakeTime();
  const { signal } = new AbortController();
  using added = spy(signal, "addEventListener");
  using removed = spy(signal, "removeEventListener");

  await inFakeTime(time, new Reconnector(opener(3).open, { signal }).connect());

  assertEquals([added.calls.length, removed.calls.length], [3, 3]);
});

Deno.test("Reconnector.connect() tells of no wait when the signal is aborted already", async () => {
  const controller = new AbortController();
  const waits: ReconnectWait[] = [];
  const onWait = (wait: ReconnectWait) => waits.push(wait);
  const reconnector = new Reconnector(opener(0).open, { signal: controller.signal, onWait });
  await reconnector.connect();

  controller.abort(new Error("enough"));

  await assertRejects(() => reconnector.connect(), Error, "enough");
  assertEquals(waits, []);
});

Deno.test("Reconnector.connect() does not try when the signal is aborted already", async () => {
  const server = opener(0);
  const reconnector = new Reconnector(server.open, {
    signal: AbortSignal.abort(new Error("enough")),
  });

  await assertRejects(() => reconnector.connect(), Error, "enough");
  assertEquals(server.calls, 0);
});

Deno.test("Reconnector.connect() hands the signal to the open function", async () => {
  const { signal } = new AbortController();
  const given: (AbortSignal | undefined)[] = [];
  const open = (signal?: AbortSignal) => Promise.resolve(given.push(signal));

  await new Reconnector(open, { signal }).connect();

  assertStrictEquals(given[0], signal);
});

const { NotCapable, InvalidData } = Deno.errors;

for (const kind of [NotCapable, InvalidData, TypeError, RangeError, URIError]) {
  Deno.test(`Reconnector.connect() gives up at once on ${kind.name}`, async () => {
    const hopeless = new kind("no waiting mends this");
    const server = opener(1, hopeless);

    const error = await assertRejects(() => new Reconnector(server.open).connect());

    assertStrictEquals(error, hopeless);
  });
}

Deno.test("Reconnector.connect() waits out an answer that is no frame", async () => {
  using time = new FakeTime();
  const server = opener(1, new FrameTooLargeError("receive", 0x48545450, 1024));

  assertEquals(await inFakeTime(time, new Reconnector(server.open).connect()), "conn");
});

Deno.test("Reconnector refuses waits that are no numbers from 0", () => {
  for (const name of ["minMs", "maxMs", "factor", "stableMs"]) {
    for (const bad of [NaN, -1]) {
      assertThrows(() => new Reconnector(opener(0).open, { [name]: bad }), RangeError, name);
    }
  }
});
