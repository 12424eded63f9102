import { assertEquals, assertMatch } from "@std/assert";
import config from "../../deno.json" with { type: "json" };

const LISTENS = "--allow-net=127.0.0.0/8,localhost,[::1],0.0.0.0,[::]";
const SERVER = [LISTENS, "--allow-read=data,servers,lib", "--allow-write=data"];
const CLIENT = ["--allow-net"];
const KEEPS_TOKENS = ["--allow-net", "--allow-read=data", "--allow-write=data", "--allow-env=TERM"];
const EVERYTHING = ["-A"];

/** What each task may do: a task may not do more, and a new one has to be listed here. */
const SCOPES: Record<string, string[]> = {
  "chat": SERVER,
  "echo": SERVER,
  "identify": SERVER,
  "auth": SERVER,
  "threads": SERVER,
  ...Object.fromEntries(
    "1.1 1.2 1.3 1.4 1.5 1.6 1.7 1.8 1.9 1.10 2.1 2.2 2.3".split(" ")
      .map((exercise) => [`lab:${exercise}`, SERVER]),
  ),
  "client": CLIENT,
  "chat:client": KEEPS_TOKENS,
  "auth:client": KEEPS_TOKENS,
  "demo": [
    "--allow-net=127.0.0.0/8",
    "--allow-read=data,servers,lib",
    "--allow-write=data",
    "--allow-env=TERM",
  ],
  // It asks for an address of this machine, and serves the client's source to the network.
  "share": ["--allow-net", "--allow-read=client,lib", "--allow-sys=networkInterfaces"],
  "faults": ["--allow-net=127.0.0.0/8,localhost,[::1]"],
  "cert": ["--allow-run=openssl", "--allow-read=data", "--allow-write=data"],
  // It looks for a file, and runs the task std where there is none.
  "std:ready": [],
  "std": ["--allow-read=.", "--allow-write=vendor", "--allow-net=jsr.io"],
  "soak": [
    "--allow-net=127.0.0.1",
    "--allow-read=data",
    "--allow-write=data",
    "--allow-run=deno,ls",
  ],
  "bench": [
    "--allow-net=127.0.0.1",
    "--allow-run=deno,node,python3",
    "--allow-write=.",
  ],
  "test": EVERYTHING,
  "ok": EVERYTHING,
  "coverage": EVERYTHING,
};

function permissionsIn(command: string): string[] {
  return command.split(/\s+/).filter((word) => /^(-A|-P|--allow-|--permission)/.test(word));
}

Deno.test("Every task has its scope, and every scope its task", () => {
  assertEquals(Object.keys(config.tasks).sort(), Object.keys(SCOPES).sort());
});

for (const [name, { command }] of Object.entries(config.tasks)) {
  Deno.test(`Task ${name} may do what is listed, and nothing else`, () => {
    assertEquals(permissionsIn(command).sort(), SCOPES[name]?.toSorted());
  });

  if (SCOPES[name] === SERVER) {
    Deno.test(`Task ${name} fails where it may not do something, and never asks for more`, () => {
      assertMatch(command, / --no-prompt /);
    });
  }
}
