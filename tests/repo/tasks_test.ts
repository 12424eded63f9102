import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { readyFolder } from "../../tools/std/std.ts";
import { deno } from "../support/deno.ts";
import { FILES, PROCESSES, testWith } from "../support/permissions.ts";

interface Task {
  description?: string;
  dependencies?: string[];
  command: string;
}

const TASKS = new Map<string, Task>(
  Object.entries(config.tasks).map(([name, task]) => [
    name,
    typeof task === "string" ? { command: task } : task,
  ]),
);
const LOOPBACK = ["127.0.0.0/8", "localhost", "[::1]"];
const SERVER = {
  net: [...LOOPBACK, "0.0.0.0", "[::]"],
  // What is in client/ and pages/ is served to browsers and to Deno.
  read: ["data", "servers", "lib", "client", "pages"],
  write: ["data"],
  // Tells whether the task was started in the background, and how it found its terminal.
  env: ["TTY"],
  // The address that others reach it at.
  sys: ["networkInterfaces"],
};
// A certificate for --ca lies in data/.
const CLIENT = { net: true, read: ["data"] };
const KEEPS_TOKENS = { net: true, read: ["data"], write: ["data"], env: ["TERM"] };
const ALL = "all";

/** What each task may do. A new task has to be listed here. */
const SCOPES: Record<string, unknown> = {
  "chat": SERVER,
  "echo": SERVER,
  "identify": SERVER,
  "auth": SERVER,
  "threads": SERVER,
  "client": CLIENT,
  "chat:client": KEEPS_TOKENS,
  "auth:client": KEEPS_TOKENS,
  "demo": {
    net: ["127.0.0.0/8"],
    read: ["data", "servers", "lib"],
    write: ["data"],
    env: ["TERM"],
  },
  "faults": { net: LOOPBACK },
  "cert": { run: ["openssl"], read: ["data"], write: ["data"] },
  // JSR_URL may name any host.
  "std": { net: true, read: ["."], write: ["vendor"], env: ["JSR_URL"], run: ["deno"] },
  "soak": { net: ["127.0.0.1"], read: ["data"], write: ["data"], run: ["deno", "ls"] },
  "bench": { net: ["127.0.0.1"], run: ["deno", "node", "python3"] },
  // It looks for a file, and runs the task std where there is none.
  "std:ready": {},
  "test": ALL,
  "ok": ALL,
};

const EXERCISES: Record<string, string> = {
  ...Object.fromEntries("1.1 1.2 1.3 1.4 1.5 1.6 1.9 1.10".split(" ").map((id) => [id, "echo"])),
  "1.7": "identify",
  "1.8": "auth",
  "2.1": "threads",
  "2.2": "chat",
  "2.3": "chat",
};

/** What the Deno programs in a command may do: nothing that a flag adds to a set of `deno.json`. */
function scopeOf(command: string): unknown {
  const main = /^deno task -q ([\w:]+)/.exec(command);
  if (main) return scopeOf(TASKS.get(main[1]!)!.command);
  const words = command.split(/\s+/);
  if (words.includes("-A")) return ALL;
  const sets = words.filter((word) => word.startsWith("-P=")).map((word) => word.slice(3));
  assertEquals(words.filter((word) => /^--(allow|deny|permission)/.test(word)), []);
  assert(sets.length <= 1, command);
  return sets[0] ? config.permissions[sets[0] as "server"] : {};
}

Deno.test("Every exercise has a task that names the main task", () => {
  for (const [exercise, main] of Object.entries(EXERCISES)) {
    assertEquals(TASKS.get(`lab:${exercise}`)?.command, `deno task -q ${main}`);
    assertEquals(TASKS.has(main), true);
  }
});

Deno.test("Every other task has its scope, and every scope its task", () => {
  const names = [...TASKS.keys()].filter((name) => !name.startsWith("lab:"));
  assertEquals(names.sort(), Object.keys(SCOPES).sort());
});

for (const [name, scope] of Object.entries(SCOPES)) {
  const task = TASKS.get(name);
  Deno.test(`Task ${name} may do what is listed, and nothing else`, () => {
    assertEquals(scopeOf(task!.command), scope);
    if (scope === SERVER) assertMatch(task!.command, / --no-prompt /);
  });

  Deno.test(`Task ${name} has a short description, and prepares the standard library first`, () => {
    assert(task!.description);
    assert(task!.description.length < 75);
    if (name.startsWith("std") || task!.command.startsWith("deno task")) return;
    assertEquals(task!.dependencies, ["std:ready"]);
  });

  Deno.test(`Task ${name} prints a command of one row`, () => {
    const [, command] = /^(?:[A-Z0-9_]+=(?:\$\(.*?\)|\S*) |stty .*; )*(.*)$/.exec(task!.command)!;
    if (scope !== ALL) assert(`Task ${name} ${command}`.length < 80);
  });
}

testWith(FILES, "Task std:ready looks for the mark of these imports and this subset", async () => {
  assertStringIncludes(
    config.tasks["std:ready"].command,
    `cat ${await readyFolder(`${import.meta.dirname}/../..`)}/$JSR_URL/ok `,
    "deno.json must name the mark that tools/std/std.ts makes",
  );
});

testWith(PROCESSES, "A lab task passes flags and output on, without deno on the PATH", async () => {
  const env = { NO_COLOR: "1", PATH: "" };
  const { code, out, err } = await deno(["task", "lab:1.1", "--port", "70000"], { env });

  assertEquals([code, out], [2, ""]);
  assertStringIncludes(err, '"70000"');
});

Deno.test("Servers that hash passwords start so that glibc gives the memory of a hash back", () => {
  for (const name of ["auth", "chat"]) {
    assertMatch(TASKS.get(name)!.command, /MALLOC_MMAP_THRESHOLD_=1048576 .*deno run /);
  }
});

Deno.test("Every server starts with a small young generation: it is part of what a connection costs", () => {
  for (const name of ["auth", "chat", "echo", "identify", "threads"]) {
    assertMatch(TASKS.get(name)!.command, /^DENO_V8_FLAGS=--max-semi-space-size=8 .*deno run /);
  }
});
