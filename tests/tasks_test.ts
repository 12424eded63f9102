import { assert, assertEquals } from "@std/assert";
import config from "../deno.json" with { type: "json" };

const TASKS: [
  name: string,
  task: { description?: string; command: string; dependencies?: string[] },
][] = Object.entries(config.tasks);
const EXERCISES = [..."123456789".split("").map((n) => `1.${n}`), "1.10", "2.2", "2.3"];

for (const [name, task] of TASKS) {
  Deno.test(`Task ${name} says what it does, and makes sure of the standard library first`, () => {
    assert(task.description);
    if (name !== "std") assertEquals(task.dependencies?.includes("std"), true);
  });

  if (!task.command.includes("servers/main.ts")) continue;
  Deno.test(`Task ${name} lets the server do no more than it must`, () => {
    const flags = task.command.split(" ");
    const blanket = ["-A", "--allow-all", "--allow-net", "--allow-read", "--allow-write"];

    assertEquals(flags.filter((flag) => blanket.includes(flag)), []);
    assertEquals(flags.filter((flag) => /^--allow-(run|env|sys|ffi|import)/.test(flag)), []);
  });
}

for (const exercise of EXERCISES) {
  Deno.test(`Exercise ${exercise} has a task`, () => {
    assertEquals(TASKS.some(([name]) => name === `lab:${exercise}`), true);
  });
}
