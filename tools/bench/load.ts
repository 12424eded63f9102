/**
 * This project, as a library and as its echo task ships, against what a user has at hand: Node, Python, and Deno without
 * this library. Side by side, in one run.
 *
 * The servers take turns in each case and each round, so that what disturbs the machine disturbs all of them alike; the
 * ratios are medians of the rounds. Everything stays on 127.0.0.1, and every length that comes back is checked.
 *
 * @module
 */
import { type FlagValues, type Program, runProgram } from "../../servers/control/command_line.ts";
import { ChildProgram, denoPath } from "../shared/program.ts";
import { LOAD_CASES, type LoadCase, type LoadJob, type LoadResult } from "./load_cases.ts";
import { median, medianRatio, numberFrom, short, table } from "./report.ts";

const PROGRAM: Program = {
  usage: "deno task bench [flags]",
  flags: {
    rounds: {
      value: "N",
      help: "how often each case is measured",
      default: "3",
      check: numberFrom(1, 100),
    },
    seconds: {
      value: "S",
      help: "how long each time, after a third of that to warm up",
      default: "0.25",
      check: numberFrom(0.01, 10),
    },
    only: { value: "CASE", help: "this case alone, without micro-benchmarks", check: caseNamed },
  },
  notes: `Runs the micro-benchmarks, and measures this project beside Node, Python and
plain Deno.
Cases: ${LOAD_CASES.map(({ name }) => name).join(", ")}`,
};

function caseNamed(name: string): LoadCase {
  const found = LOAD_CASES.find((one) => one.name === name);
  if (found) return found;
  throw new Error(`There is no such case: give one of those that --help names`);
}

// What the task of that name runs.
const DENO_V8_FLAGS = "--max-semi-space-size=8";
const ECHO_TASK = [
  ...["run", "--quiet", "--no-prompt", "--permission-set=server", "servers/main.ts", "echo"],
  ...["--port", "0", "--data", "data/bench", "--max-per-address", "0"],
];

/** What is compared, the first with each of the others. */
const SERVERS: Record<string, { kinds: LoadCase["kind"][]; start(kind: string): ChildProgram }> = {
  "framed/tcp": {
    kinds: ["echo", "churn", "fan"],
    start: (kind) => ChildProgram.deno(urlOf("our_server.ts"), kind),
  },
  "echo task, with its log": {
    kinds: ["echo", "churn"],
    start: () => new ChildProgram(denoPath(), ECHO_TASK, { DENO_V8_FLAGS }),
  },
  "Node net": {
    kinds: ["echo", "churn", "fan"],
    start: (kind) => new ChildProgram("node", [urlOf("peers/node_echo.mjs").pathname, kind]),
  },
  "a thread each": {
    kinds: ["churn"],
    start: () => ChildProgram.deno(urlOf("our_server.ts"), "threads"),
  },
  "Deno, bytes": {
    kinds: ["echo", "churn"],
    start: () => ChildProgram.deno(urlOf("peers/bytes_echo.ts")),
  },
  "Python asyncio": {
    kinds: ["echo", "churn"],
    start: () => new ChildProgram("python3", [urlOf("peers/python_echo.py").pathname]),
  },
};

const [OURS = ""] = Object.keys(SERVERS);
/** From this share of a core on, the load client may be what limits the rate. */
const CLIENT_IS_BUSY = 0.9;

/** Servers that run, by their name and what they do. */
class Servers implements AsyncDisposable {
  /** Why servers are missing. */
  readonly skipped: string[] = [];
  readonly #running = new Map<string, { child: ChildProgram; port: number }>();

  /** Starts what the cases need; one that cannot be started is skipped. */
  async start(cases: readonly LoadCase[]): Promise<void> {
    for (const [name, { kinds, start }] of Object.entries(SERVERS)) {
      const modes = new Set(cases.filter(({ kind }) => kinds.includes(kind)).map(modeOf));
      for (const mode of modes) await this.#start(name, mode, start);
    }
  }

  /** Who takes part in a case, and on which port. */
  in(one: LoadCase): { name: string; port: number }[] {
    return Object.entries(SERVERS).flatMap(([name, { kinds }]) => {
      if (!kinds.includes(one.kind)) return [];
      const running = this.#running.get(`${name} ${modeOf(one)}`);
      return running ? [{ name, port: running.port }] : [];
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { child } of this.#running.values()) await child[Symbol.asyncDispose]();
  }

  async #start(name: string, mode: string, start: (mode: string) => ChildProgram): Promise<void> {
    try {
      const child = start(mode);
      // `Listening on 127.0.0.1:9090`, or the port alone.
      const port = Number((await child.line()).split(":").at(-1));
      this.#running.set(`${name} ${mode}`, { child, port });
    } catch (error) {
      if (name === OURS) throw error;
      const missing = error instanceof Deno.errors.NotFound;
      const reason = missing ? "it is not installed" : (error as Error).message;
      this.skipped.push(`${name} (${mode}) was skipped: ${reason}`);
    }
  }
}

function modeOf({ kind }: LoadCase): "echo" | "fan" {
  return kind === "fan" ? "fan" : "echo";
}

/** The results of one case, round by round, by server; `undefined` where a run failed. */
type CaseResults = Map<string, (LoadResult | undefined)[]>;

/** Measures everything; what fails is told in `problems`. */
async function measure(
  cases: readonly LoadCase[],
  servers: Servers,
  { rounds, seconds }: FlagValues,
  problems: string[],
): Promise<Map<LoadCase, CaseResults>> {
  await using client = ChildProgram.deno(urlOf("load_client.ts"));
  const results = new Map(cases.map((one) => [one, new Map() as CaseResults]));
  for (let round = 0; round < Number(rounds); round++) {
    for (const [one, byServer] of results) {
      for (const { name, port } of servers.in(one)) {
        const { name: _, title: __, ...job } = one;
        const result = await client.ask<LoadResult>(
          { ...job, port, seconds: Number(seconds) } satisfies LoadJob,
        )
          .catch((error) => void problems.push(`${name}, ${one.title}: ${error.message}`));
        byServer.getOrInsertComputed(name, () => []).push(result ?? undefined);
        progress(".");
      }
    }
  }
  progress("\n");
  return results;
}

function progress(text: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(text));
}

/** One row of the table. */
function rowOf(one: LoadCase, name: string, byServer: CaseResults): string[] {
  const results = byServer.get(name)!;
  const done = results.filter((result) => result !== undefined);
  const middle = (key: keyof LoadResult) => median(done.map((result) => result[key]));
  const rates = (name: string) => byServer.get(name)!.map((result) => result?.rate);
  // With many messages on their way, a reply is to one of them, and the times of sending are not kept.
  const isTimed = one.kind !== "echo" || one.window === 1;
  const mark = middle("clientCpu") >= CLIENT_IS_BUSY ? "≥ " : "";
  return [
    one.title,
    name,
    `${mark}${short(middle("rate"))}/s`,
    short(medianRatio(rates(OURS), rates(name))),
    isTimed ? short(middle("p50Ms")) : "-",
    isTimed ? short(middle("p99Ms")) : "-",
  ];
}

function tableOf(results: Map<LoadCase, CaseResults>): string {
  const head = ["case", "server", "rate", "ours/theirs", "p50 ms", "p99 ms"];
  const rows = [...results].flatMap(([one, byServer]) =>
    [...byServer.keys()].map((name) => rowOf(one, name, byServer))
  );
  return table([head, ...rows]);
}

async function main(flags: FlagValues): Promise<number> {
  const { only } = flags;
  const cases = only === undefined ? LOAD_CASES : [caseNamed(only)];
  const problems = only === undefined ? await microBenchmarks() : [];
  await using servers = new Servers();
  await servers.start(cases);
  console.log(`${tableOf(await measure(cases, servers, flags, problems))}\n`);
  console.log("≥: the load client was busy all the time, so the server may be faster than that.");
  for (const line of [...servers.skipped, ...problems]) console.log(line);
  return problems.length === 0 ? 0 : 1;
}

/** Runs the micro-benchmarks of this folder, which show themselves; what went wrong is returned. */
async function microBenchmarks(): Promise<string[]> {
  const args = ["bench", "--quiet", "--allow-net=127.0.0.1", urlOf(".").pathname];
  const { code } = await new Deno.Command(denoPath(), { args, stdin: "null" }).spawn().status;
  return code === 0 ? [] : [`The micro-benchmarks ended with exit code ${code}`];
}

function urlOf(module: string): URL {
  return new URL(module, import.meta.url);
}

if (import.meta.main) await runProgram(PROGRAM, main);
