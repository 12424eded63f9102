/**
 * This project against what a user has at hand: Node, Python, and Deno without this library. Side by side, in one run.
 *
 * The servers take turns in each case and each round, so that what disturbs the machine disturbs all of them alike; the
 * ratios are medians of the rounds. Everything stays on 127.0.0.1, and every length that comes back is checked.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { withoutSeparator } from "../../lib/base/task_args.ts";
import { Child, denoPath } from "./child.ts";
import { LOAD_CASES, type LoadCase, type LoadJob, type LoadResult } from "./load_cases.ts";
import { numberOf } from "./number_flag.ts";
import { Progress } from "./progress.ts";
import { type BarGroup, median, medianRatio, plot, short, svg, table } from "./report.ts";

const USAGE = `Usage: deno task bench [flags]

Runs the micro-benchmarks, and measures this project beside Node, Python and plain Deno.

  --rounds N    how often each case is measured (3)
  --seconds S   how long each time, after a third of that to warm up (0.25)
  --only CASE   this case alone, without micro-benchmarks, out of
                ${LOAD_CASES.map(({ name }) => name).join(", ")}
  --svg FILE    write the bars as a picture, too: in this folder, or you are asked
  --help        show this list`;

/** What is compared, the first with each of the others. */
const SERVERS: Record<string, { kinds: LoadCase["kind"][]; start(kind: string): Child }> = {
  "framed/tcp": {
    kinds: ["echo", "churn", "fan"],
    start: (kind) => Child.deno("our_server.ts", ["--allow-net=127.0.0.1"], kind),
  },
  "Node net": {
    kinds: ["echo", "churn", "fan"],
    start: (kind) => new Child("node", [pathOf("peers/node_echo.mjs"), kind]),
  },
  "Deno, bytes": {
    kinds: ["echo", "churn"],
    start: () => Child.deno("peers/bytes_echo.ts", ["--allow-net=127.0.0.1"]),
  },
  "Deno, naive": {
    kinds: ["echo", "churn"],
    start: () => Child.deno("peers/naive_echo.ts", ["--allow-net=127.0.0.1"]),
  },
  "Python asyncio": {
    kinds: ["echo", "churn"],
    start: () => new Child("python3", [pathOf("peers/python_echo.py")]),
  },
};

const [OURS = ""] = Object.keys(SERVERS);
/** From this share of a core on, the load client may be what limits the rate. */
const CLIENT_IS_BUSY = 0.9;

interface Settings {
  rounds: number;
  seconds: number;
  cases: readonly LoadCase[];
  /** Whether the micro-benchmarks run as well. */
  micro: boolean;
  svg?: string;
}

/** Servers that run, by their name and what they do. */
class Servers implements AsyncDisposable {
  /** Why servers are missing. */
  readonly skipped: string[] = [];
  readonly #running = new Map<string, { child: Child; port: number }>();

  /** Starts what the cases need; who cannot be started is skipped. */
  async start(cases: readonly LoadCase[]): Promise<void> {
    const modes = new Set(cases.map(modeOf));
    for (const [name, { kinds, start }] of Object.entries(SERVERS)) {
      for (const mode of modes) if (kinds.includes(mode)) await this.#start(name, mode, start);
    }
  }

  /** Who takes part in a case, and on which port. */
  in(one: LoadCase): { name: string; port: number }[] {
    return Object.keys(SERVERS).flatMap((name) => {
      const running = this.#running.get(`${name} ${modeOf(one)}`);
      return running ? [{ name, port: running.port }] : [];
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { child } of this.#running.values()) await child[Symbol.asyncDispose]();
  }

  async #start(name: string, mode: string, start: (mode: string) => Child): Promise<void> {
    try {
      const child = start(mode);
      const port = Number(await child.line());
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
  { rounds, seconds, cases }: Settings,
  servers: Servers,
  problems: string[],
): Promise<Map<LoadCase, CaseResults>> {
  await using client = Child.deno("load_client.ts", ["--allow-net=127.0.0.1"]);
  const runs = cases.reduce((sum, one) => sum + servers.in(one).length, 0);
  await using progress = new Progress(rounds * runs);
  const results = new Map(cases.map((one) => [one, new Map() as CaseResults]));
  for (let round = 0; round < rounds; round++) {
    for (const [one, byServer] of results) {
      for (const { name, port } of servers.in(one)) {
        const { name: _, title: __, ...job } = one;
        const result = await client.ask<LoadResult>({ ...job, port, seconds } satisfies LoadJob)
          .catch((error) => void problems.push(`${name}, ${one.title}: ${error.message}`));
        byServer.getOrInsertComputed(name, () => []).push(result ?? undefined);
        progress.step();
      }
    }
  }
  return results;
}

/** One row of the table. */
function rowOf(one: LoadCase, name: string, byServer: CaseResults): string[] {
  const results = byServer.get(name)!;
  const done = results.filter((result) => result !== undefined);
  const middle = (key: keyof LoadResult) => median(done.map((result) => result[key]));
  const rates = (name: string) => byServer.get(name)!.map((result) => result?.rate);
  // With many messages on their way, a reply is to one of them, and nobody notes when each of them was sent.
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

function report(results: Map<LoadCase, CaseResults>): { text: string; groups: BarGroup[] } {
  const head = ["case", "server", "rate", "ours/theirs", "p50 ms", "p99 ms"];
  const rows = [...results].flatMap(([one, byServer]) =>
    [...byServer.keys()].map((name) => rowOf(one, name, byServer))
  );
  const groups = [...results].map(([{ title }, byServer]) => ({
    title: `${title}: messages a second`,
    bars: [...byServer].map(([label, rounds]) => ({
      label,
      value: median(rounds.flatMap((result) => result ? [result.rate] : [])),
    })),
  }));
  return { text: `${table([head, ...rows])}\n\n${plot(groups)}`, groups };
}

/** Runs the benchmark and gives the exit code. */
export async function main(args: string[]): Promise<number> {
  let settings;
  try {
    settings = settingsOf(args);
  } catch (error) {
    console.error((error as Error).message);
    return 2;
  }
  if (settings === undefined) {
    console.log(USAGE);
    return 0;
  }
  const problems = settings.micro ? await microBenchmarks() : [];
  await using servers = new Servers();
  await servers.start(settings.cases);
  const { text, groups } = report(await measure(settings, servers, problems));
  console.log(`${text}\n`);
  console.log("≥: the load client was busy all the time, so the server may be faster than that.");
  if (settings.svg) problems.push(...savePicture(settings.svg, groups));
  for (const line of [...servers.skipped, ...problems]) console.log(line);
  return problems.length === 0 ? 0 : 1;
}

/** Runs the micro-benchmarks of this folder, which show themselves; what went wrong is returned. */
async function microBenchmarks(): Promise<string[]> {
  const args = ["bench", "--quiet", "--allow-net=127.0.0.1", pathOf(".")];
  const { code } = await new Deno.Command(denoPath(), { args, stdin: "null" }).spawn().status;
  return code === 0 ? [] : [`The micro-benchmarks ended with exit code ${code}`];
}

/** Writes the bars as a picture; what went wrong is returned. */
function savePicture(path: string, groups: BarGroup[]): string[] {
  try {
    Deno.writeTextFileSync(path, svg("Framed TCP, side by side", groups));
    return [];
  } catch (error) {
    return [`${path} was not written: ${(error as Error).message}`];
  }
}

/** Reads the flags; `undefined` when help is asked for. */
function settingsOf(args: string[]): Settings | undefined {
  const flags = parseArgs(withoutSeparator(args), {
    string: ["rounds", "seconds", "only", "svg"],
    boolean: ["help"],
    default: { rounds: "3", seconds: "0.25" },
    unknown: (arg) => {
      throw new Error(`Cannot use ${arg}: see --help`);
    },
  });
  if (flags.help) return undefined;
  const cases = LOAD_CASES.filter(({ name }) => !flags.only || name === flags.only);
  if (cases.length === 0) throw new Error(`There is no case ${flags.only}: see --help`);
  if (flags.svg) checkWritable(flags.svg);
  return {
    rounds: numberOf("rounds", flags.rounds, 1, 100),
    seconds: numberOf("seconds", flags.seconds, 0.01, 10),
    cases,
    micro: !flags.only,
    ...(flags.svg && { svg: flags.svg }),
  };
}

/** Asks for leave to write the picture now, while somebody is there to give it, and not when all is measured. */
function checkWritable(path: string): void {
  if (Deno.permissions.requestSync({ name: "write", path }).state === "granted") return;
  throw new Error(`Cannot write --svg ${path}: give a file in this folder`);
}

function pathOf(module: string): string {
  return new URL(module, import.meta.url).pathname;
}

if (import.meta.main) Deno.exitCode = await main(Deno.args);
