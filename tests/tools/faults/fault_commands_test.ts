import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { startFaultProxy } from "../../../lib/faults/fault_proxy.ts";
import { FAULT_COMMANDS, type FaultControl, obey } from "../../../tools/faults/fault_commands.ts";
import { FaultTrace } from "../../../tools/faults/fault_trace.ts";

async function control(): Promise<FaultControl & AsyncDisposable & { hasQuit: boolean }> {
  const proxy = await startFaultProxy({ to: { port: 9 }, seed: 7 });
  const present = {
    proxy,
    faults: { up: {}, down: {} },
    trace: new FaultTrace(false),
    hasQuit: false,
    quit: () => void (present.hasQuit = true),
    [Symbol.asyncDispose]: () => proxy.close(),
  };
  return present;
}

Deno.test("obey() help lists every command", async () => {
  await using present = await control();

  const answer = obey(present, "help");

  for (const name of Object.keys(FAULT_COMMANDS)) assertStringIncludes(answer, name);
});

Deno.test("obey() set changes the faults, clear ends them, status shows them", async () => {
  await using present = await control();

  assertEquals(
    obey(present, "set delay=5  up.split=1"),
    "Faults: up.split=1 up.delay=5 down.delay=5",
  );
  assertMatch(obey(present, "status"), /^Seed 7; faults: up\.split=1 .*\nConnections: 0\n/);
  assertEquals(obey(present, "clear"), "Faults: none");
  assertEquals(present.faults, { up: {}, down: {} });
});

Deno.test("obey() set changes nothing when one of its settings is wrong", async () => {
  await using present = await control();

  for (const line of ["set split=1 delay=x", "set split=1 oops=1", "set split", "set", "set =1"]) {
    assertMatch(obey(present, line), /^Cannot /);
  }

  assertEquals(present.faults, { up: {}, down: {} });
});

Deno.test("obey() refuse refuses new connections", async () => {
  await using present = await control();
  const { hostname, port } = present.proxy.addr;

  assertEquals(obey(present, "refuse 60s"), "Refusing new connections for 60000 ms");

  await assertRejects(() => Deno.connect({ hostname, port }), Deno.errors.ConnectionRefused);
  assertMatch(obey(present, "refuse"), /^Cannot refuse for "": give a time/);
});

Deno.test("obey() trace switches the trace, cut and reset answer, quit ends", async () => {
  await using present = await control();

  assertEquals(obey(present, "trace on"), "Trace on");
  assertMatch(obey(present, "trace sometimes"), /^Cannot trace/);
  assert(present.trace.isOn);
  assertEquals(obey(present, "cut"), "Closed all connections");
  assertEquals(obey(present, "reset"), "Reset all connections");
  assertEquals(obey(present, "quit"), "");
  assert(present.hasQuit);
});

Deno.test("obey() refuses what is no command", async () => {
  await using present = await control();

  assertEquals(obey(present, "  "), "");
  assertMatch(obey(present, "dance\x1b[2J now"), /^There is no command "dance\\x1b\[2J"/);
  assertMatch(obey(present, "__proto__"), /^There is no command/);
  assertMatch(obey(present, "refsue 5s"), /Did you mean refuse\?$/);
  assertMatch(obey(present, "set dealy=5"), /did you mean delay\?$/);
});
