import { assert, assertEquals, assertMatch } from "@std/assert";
import { Ledger, Told } from "../../tools/soak/ledger.ts";
import { soak } from "../../tools/soak/soak.ts";
import { PROCESSES, testInFolder } from "../support/permissions.ts";

Deno.test("Told tells two members apart who were told other texts, another order, or one thing twice", () => {
  const told = (...messages: [number, string][]) => {
    const told = new Told("anna");
    const problems = messages.map(([id, text]) => told.add(id, text)).filter(Boolean);
    return { digest: told.digest, problems };
  };
  const right = told([1, "a"], [2, "b"]);

  assertEquals(told([1, "a"], [2, "b"]), right);
  assert(told([1, "a"], [2, "c"]).digest !== right.digest);
  assert(told([1, "a"], [3, "b"]).digest !== right.digest);
  assertEquals(told([2, "b"], [1, "a"]).problems, ["anna was told 1 after 2"]);
  assertEquals(told([1, "a"], [1, "a"]).problems, ["anna was told 1 after 1"]);
});

Deno.test("Ledger.note() sees that one id was given to two messages", () => {
  const ledger = new Ledger();

  ledger.note(1, "a");
  ledger.note(1, "a");
  assertEquals(ledger.problems, []);
  ledger.note(1, "b");
  assertEquals(ledger.problems, ["1 was given to two messages"]);
});

testInFolder("chat keeps every promise in 5 s of mixed load (seed 1)", async (data) => {
  const lines: string[] = [];
  const tell = (line: string) => void lines.push(line);

  const problems = await soak({ seconds: 5, seed: 1, data, reportSeconds: 2, tell });

  assertEquals(problems, []);
  assertMatch(lines.at(-2)!, /^\d+ s {2}said \d{2,} {2}delivered \d{3,} {2}reconnects \d+ /);
}, PROCESSES);
