import { assert, assertEquals, assertLess } from "@std/assert";
import { percentile, short } from "../../../tools/bench/report.ts";
import { startFaultProxy } from "../../../lib/faults/fault_proxy.ts";
import type { FaultSettings } from "../../../lib/faults/fault_options.ts";
import { PASSWORD, textsIn } from "../../../tools/shared/chat_client.ts";
import { startChat } from "../../support/chat_server.ts";
import { TestMember } from "../../client/session/test_member.ts";

function textsOf(name: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${name} ${i}`);
}

// All of it happens in this one thread, the flood too, on a machine that does other things as well.
const BOUND_MS = 1000;

Deno.test("chatHandler() stores and delivers everything said during a flood of logins and registrations", async (t) => {
  await using chat = startChat();
  using anna = await chat.enter("anna");
  using boris = await chat.enter("boris");
  const texts = textsOf("anna", 200);
  const refusals: string[] = [];
  let registered = 0;
  let done = false;
  const guess = async (name: string) => {
    while (!done) {
      using client = await chat.connect();
      await client.ask({ type: "hello", version: 1 });
      // On a slow machine the 10 s to log in may end before the flood.
      let isIdle = false;
      while (!done && !isIdle) {
        const answer = await client.ask({ type: "login", name, password: "a wrong one" });
        isIdle = answer?.type === "bye" && answer.reason === "idle";
        if (answer?.type === "error") refusals.push(answer.code);
        else assert(isIdle, JSON.stringify(answer));
      }
    }
  };
  const register = async () => {
    while (!done) {
      using client = await chat.connect();
      await client.register(`flood_${++registered}`);
    }
  };

  const names = textsOf("nobody", 16).map((name) => name.replace(" ", "_"));
  const flood = [...names, "anna", "boris"].map(guess).concat(Array.from({ length: 8 }, register));
  const latenciesMs: number[] = [];
  for (const text of texts) {
    const saidAt = performance.now();
    await Promise.all([anna.say(text), boris.until("message")]);
    latenciesMs.push(performance.now() - saidAt);
  }
  done = true;
  await Promise.all(flood);

  const [p50, p99] = [0.5, 0.99].map((share) => percentile(latenciesMs, share));
  const said = `${texts.length} messages beside ${refusals.length} refused logins`;
  await t.step(`${said}: p50 ${short(p50!)} ms, p99 ${short(p99!)} ms`, () => {});
  assertLess(p99!, BOUND_MS);
  await boris.all();
  assertEquals(textsIn(boris.received), texts);
  assertEquals(chat.textsFor("anna"), texts);
  assertEquals([...new Set(refusals)].sort(), ["bad_credentials", "throttled"]);
  assert(registered >= 8);
  assertEquals(chat.errors, []);
});

const NETWORKS: Record<string, FaultSettings> = {
  "tears everything into bytes": { up: { splitBytes: 1 }, down: { splitBytes: 1 } },
  "delays with jitter": {
    up: { delayMs: 1, jitterMs: 3, splitBytes: 7 },
    down: { delayMs: 1, jitterMs: 3, mergeMs: 2 },
  },
  "cuts inside headers": {
    up: { cutInHeader: 6, splitBytes: 3 },
    down: { cutInHeader: 12, cutBy: "reset" },
  },
  "cuts inside bodies": {
    up: { cutInBody: 7, cutBy: "reset", jitterMs: 1 },
    down: { cutInBody: 11, splitBytes: 5 },
  },
};

const SEED = 6;

for (const [what, faults] of Object.entries(NETWORKS)) {
  Deno.test(`ChatSession loses and doubles nothing in a network that ${what} (seed ${SEED})`, async () => {
    await using chat = startChat();
    for (const name of ["anna", "boris", "carla"]) {
      await chat.members.accounts.register(name, PASSWORD);
    }
    const { port } = chat.server.addr;
    await using proxy = await startFaultProxy({ to: { port }, seed: SEED, ...faults });
    await using carla = new TestMember(port, "carla");
    await carla.session.entered;
    await using anna = new TestMember(proxy.addr.port, "anna");
    await using boris = new TestMember(proxy.addr.port, "boris");

    for (const text of textsOf("anna", 30)) anna.session.say(text);
    for (const text of textsOf("boris", 30)) boris.session.say(text);
    await Promise.all([anna, boris, carla].map((member) => member.toldCount(60)));

    const stored = chat.history.since(0, 1, 200);
    for (const name of ["anna", "boris"]) {
      const said = stored.filter(({ from }) => from === name).map(({ text }) => text);
      assertEquals(said, textsOf(name, 30));
    }
    const lines = stored.map(({ id, text }) => `${id} ${text}`);
    for (const member of [anna, boris, carla]) assertEquals(member.told, lines);
    if (what.startsWith("cuts")) assert(proxy.summary.connections > 4);
  });
}
