import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { readyMark } from "../../tools/std/std.ts";
import { FILES, testWith } from "../support/permissions.ts";

const TASKS: [
  name: string,
  task: { description?: string; command: string; dependencies?: string[] },
][] = Object.entries(config.tasks);
const EXERCISES = [..."123456789".split("").map((n) => `1.${n}`), "1.10", "2.2", "2.3"];

for (const [name, task] of TASKS) {
  Deno.test(`Task ${name} says what it does, and makes sure of the standard library first`, () => {
    assert(task.description);
    if (name.startsWith("std")) return;
    assertEquals(task.dependencies?.includes("std:ready"), true);
  });

  if (!task.command.includes("servers/main.ts")) continue;
  Deno.test(`Task ${name} lets the server do no more than it must`, () => {
    const flags = task.command.split(" ");
    const blanket = ["-A", "--allow-all", "--allow-net", "--allow-read", "--allow-write"];

    assertEquals(flags.filter((flag) => blanket.includes(flag)), []);
    assertEquals(flags.filter((flag) => /^--allow-(run|env|sys|ffi|import)/.test(flag)), []);
  });
}

testWith(FILES, "Task std:ready looks for the mark of these imports and this subset", async () => {
  assertStringIncludes(
    config.tasks["std:ready"].command,
    `cat ${await readyMark(`${import.meta.dirname}/../..`)} `,
    "deno.json must name the mark that tools/std/std.ts makes",
  );
});

for (const exercise of EXERCISES) {
  Deno.test(`Exercise ${exercise} has a task`, () => {
    assertEquals(TASKS.some(([name]) => name === `lab:${exercise}`), true);
  });
}
