/**
 * The soak as a program: `deno task soak`.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { numberOf } from "../bench/number_flag.ts";
import { withoutSeparator } from "../../lib/base/task_args.ts";
import { soak, type SoakOptions } from "./soak.ts";

const USAGE = `Usage: deno task soak [flags]

  --minutes N   how long (30)
  --seed N      choose the same again as the run that printed this seed
  --help        show this list

Runs a chat server and, for that long, members over good and bad networks, floods, visitors, guesses, bad frames and
clients that do not read; a line of figures every 10 s. The exit code is 0 if every promise was kept, and 1 if not: then
data/soak-SEED, with the database and the log, is left.`;

/** Runs it and gives the exit code. */
export async function main(args: string[]): Promise<number> {
  let options;
  try {
    options = optionsOf(args);
  } catch (error) {
    console.error((error as Error).message);
    return 2;
  }
  if (options === undefined) {
    console.log(USAGE);
    return 0;
  }
  console.log(`Seed ${options.seed}`);
  const problems = await soak(options);
  for (const problem of problems.slice(0, 100)) console.log(problem);
  if (problems.length > 0) {
    console.log(`Failed: ${problems.length} problems; see ${options.data}`);
    return 1;
  }
  await Deno.remove(options.data, { recursive: true });
  console.log("Passed: all that was said is stored, and was told to everybody once and in order");
  return 0;
}

/** Reads the flags; `undefined` when help is asked for. */
function optionsOf(args: string[]): SoakOptions | undefined {
  const flags = parseArgs(withoutSeparator(args), {
    string: ["minutes", "seed"],
    boolean: ["help"],
    default: { minutes: "30", seed: `${crypto.getRandomValues(new Uint32Array(1))[0]}` },
    unknown: (arg) => {
      throw new Error(`Cannot use ${arg}: see --help`);
    },
  });
  if (flags.help) return undefined;
  const seed = numberOf("seed", flags.seed, 0, 2 ** 32 - 1);
  return {
    seconds: numberOf("minutes", flags.minutes, 0.1, 10_000) * 60,
    seed,
    data: `data/soak-${seed}`,
    reportSeconds: 10,
    tell: (line) => console.log(line),
  };
}

if (import.meta.main) Deno.exitCode = await main(Deno.args);
