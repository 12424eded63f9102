import { assert, assertEquals, assertLess, assertMatch } from "@std/assert";
import { stub } from "@std/testing/mock";
import { Reconnector } from "../../lib/conn/reconnect.ts";
import { serve } from "../../lib/server/server.ts";
import { TokenBuckets } from "../../lib/base/token_bucket.ts";
import { ChatClient, idsIn, PASSWORD, textsIn } from "../../tools/shared/chat_client.ts";
import { startAuthentication, startChat } from "../support/chat_server.ts";
import { PROCESSES, testWith } from "../support/permissions.ts";
import { connectTo, echo } from "../support/served.ts";
import { ServerProcess } from "../../tools/shared/server_process.ts";

const SECOND_MS = 1000;
const HOUR_MS = 3600 * SECOND_MS;
const DAY_MS = 24 * HOUR_MS;

/** A clock on the wall, which a test sets. Restored at the end. */
function wallClock() {
  const real = Date.now();
  const clock = { jumpedMs: 0 };
  const stubbed = stub(Date, "now", () => real + clock.jumpedMs);
  return Object.assign(clock, { [Symbol.dispose]: () => stubbed.restore() });
}

Deno.test("chatHandler() keeps the order, and finds what was missed, while the clock jumps", async () => {
  using clock = wallClock();
  await using chat = startChat();
  using anna = await chat.enter("anna");
  using boris = await chat.enter("boris");
  const jumps = [0, HOUR_MS, -HOUR_MS, 10 * DAY_MS, -10 * DAY_MS, -400 * DAY_MS, 1];

  const ids: number[] = [];
  for (const jumpMs of jumps) {
    clock.jumpedMs += jumpMs;
    ids.push(await anna.say(`after ${jumpMs}`));
  }
  using late = await chat.connect();
  await late.register("late", { since: 2 });

  assertEquals(ids, jumps.map((_, i) => i + 1));
  assertEquals(textsIn(await boris.all()), jumps.map((jumpMs) => `after ${jumpMs}`));
  assertEquals(idsIn(await late.all()), ids.slice(2));
});

for (const jumpMs of [HOUR_MS, -HOUR_MS, 30 * DAY_MS, -30 * DAY_MS]) {
  const jump = `when the clock jumps by ${jumpMs / HOUR_MS} h`;

  Deno.test(`TokenBuckets give nothing away and keep nothing back ${jump}`, () => {
    using clock = wallClock();
    const buckets = new TokenBuckets({ burst: 3, perSecond: 0.001 });
    const takes = () => Array.from({ length: 3 }, () => buckets.take("anna"));

    const before = takes();
    clock.jumpedMs += jumpMs;
    const after = takes();

    assertEquals(before, [0, 0, 0]);
    for (const waitMs of after) assert(waitMs > 0 && waitMs <= 1_000_000, `${waitMs}`);
  });

  Deno.test(`LoginThrottle neither forgets nor locks out ${jump}`, async () => {
    using clock = wallClock();
    await using auth = startAuthentication();
    using client = await auth.connect();
    await client.ask({ type: "hello", version: 1 });
    const guess = () => client.ask({ type: "login", name: "anna", password: "a wrong one" });
    const start = performance.now();
    const waits: number[] = [];

    for (let i = 0; i < 20; i++) {
      const answer = await guess();
      assert(answer?.type === "error");
      if (answer.code === "throttled") waits.push(answer.retryAfterMs!);
      clock.jumpedMs += jumpMs;
    }

    const tries = 20 - waits.length;
    assertLess(tries, 4 + (performance.now() - start) / SECOND_MS);
    assertEquals(waits[0]! <= SECOND_MS, true);
  });

  Deno.test(`serve() ends no conversation as idle ${jump}`, async () => {
    using clock = wallClock();
    await using server = serve(echo, { port: 0, idleTimeoutMs: 60 * SECOND_MS });
    clock.jumpedMs += jumpMs;
    using conn = await connectTo(server);
    await conn.request("before");

    clock.jumpedMs += jumpMs;
    const [peer] = server.peers();
    const connectedMs = performance.timeOrigin + performance.now() - peer!.connectedAt;

    assertEquals(await conn.request("after"), "after");
    assertLess(Math.abs(connectedMs), 60 * SECOND_MS);
  });

  Deno.test(`Reconnector goes on to wait longer ${jump}`, async () => {
    using clock = wallClock();
    using _random = stub(Math, "random", () => 1);
    const waits: number[] = [];
    const reconnector = new Reconnector(() => Promise.resolve("conn"), {
      minMs: 1,
      onWait: ({ delayMs }) => waits.push(delayMs),
    });

    for (let lost = 0; lost < 4; lost++) {
      await reconnector.connect();
      clock.jumpedMs += jumpMs;
    }

    assertEquals(waits, [1, 2, 4]);
  });
}

Deno.test("SessionStore believes no token from beyond tomorrow, and bounds the lives of all", async () => {
  using clock = wallClock();
  await using auth = startAuthentication();
  const start = Date.now();
  const resume = async (token: string) => {
    using client = await auth.connect();
    const answers = [await client.ask({ type: "hello", version: 1, token }), await client.next()];
    const [, last] = answers;
    return last?.type === "welcome" ? last.expires - Date.now() : last?.type;
  };
  using anna = await auth.connect();
  const early = await anna.register("anna");

  clock.jumpedMs = 2 * DAY_MS;
  using again = await auth.connect();
  const late = await again.logIn("anna");
  assertEquals(await resume(early), 7 * DAY_MS);

  // Set back: what slid too far slides back, what was made too late is refused until its day comes.
  clock.jumpedMs = 0;
  assertEquals([Date.now(), await resume(early)], [start, 7 * DAY_MS]);
  assertEquals(await resume(late), "error");
  clock.jumpedMs = 1 * DAY_MS;
  assertEquals(await resume(late), 7 * DAY_MS);
  // A token that was used before an earlier time is none the worse for it.
  clock.jumpedMs = -HOUR_MS;
  assertEquals(await resume(early), 7 * DAY_MS);
  clock.jumpedMs = 31 * DAY_MS;
  assertEquals([await resume(early), await resume(late)], ["error", "error"]);
});

testWith(PROCESSES, "chat serves, logs, counts and stops while the clock jumps", async () => {
  const before = ["--allow-read=tests", "--preload=tests/servers/control/jumping_clock.ts"];
  await using server = await ServerProcess.start("chat", ["--idle-timeout", "60"], { before });
  const setClock = (ms: number) => Deno.writeTextFile(`${server.data}/clock`, `${ms}`);
  using anna = await ChatClient.connect(server.port);
  using boris = await ChatClient.connect(server.port);
  await anna.register("Anna");
  await boris.register("Boris");
  await anna.until("joined");

  const times: number[] = [];
  for (const ms of [0, HOUR_MS, -HOUR_MS, 20 * DAY_MS, -20 * DAY_MS]) {
    await setClock(ms);
    await anna.say(`at ${ms}`);
    times.push(Math.round((Date.now() - (await boris.until("message")).at) / HOUR_MS));
    assertMatch(await server.command("who"), /Anna .*:\d+ +\d+ s$/);
    assertMatch(await server.line(), /Boris .*:\d+ +\d+ s$/);
    assertMatch(
      await server.command("status", 5),
      /messages +\d+ \(\d stored, at most 1000000 are kept\)/,
    );
  }
  using late = await ChatClient.connect(server.port);
  await late.send({ type: "hello", version: 1, since: 0 });
  await late.send({ type: "login", name: "Anna", password: PASSWORD });
  await late.until("welcome");
  const replayed = idsIn(await late.all());
  for (const client of [anna, boris, late]) client.conn.close();
  const { code, err } = await server.stop();

  assertEquals(times.map((hours) => hours + 0), [0, -1, 1, -480, 480]);
  assertEquals(replayed, [1, 2, 3, 4, 5]);
  assertEquals([code, err], [0, ""]);
  const log = await server.log();
  assertEquals(log.match(/ (ERROR|WARN) .*/g), null);
  assertEquals(new Set(log.match(/^\d{4}-\d\d-\d\d/gm)).size >= 3, true);
  assertMatch(log, / stopped\n$/);
});
