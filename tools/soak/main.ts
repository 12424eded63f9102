/**
 * The soak as a program: `deno task soak`.
 *
 * @module
 */
import {
  type FlagValues,
  type Program,
  runProgram,
  wholeNumber,
} from "../../servers/control/command_line.ts";
import { numberFrom } from "../bench/report.ts";
import { soak } from "./soak.ts";

const PROGRAM: Program = {
  usage: "deno task soak [flags]",
  flags: {
    minutes: { value: "N", help: "how long", default: "30", check: numberFrom(0.1, 10_000) },
    seed: {
      value: "N",
      help: "make the same choices as the run that printed this seed",
      check: wholeNumber(0, 2 ** 32 - 1),
    },
  },
  notes: `Runs a chat server and, for that long, members over good and bad networks,
floods, visitors, guesses, bad frames and clients that do not read; a line of
figures every 10 s. The exit code is 0 if every promise was kept, and 1 if not:
then data/soak-SEED is left, with the database and the log.`,
};

async function main({ minutes, seed: given }: FlagValues): Promise<number> {
  const seed = Number(given ?? crypto.getRandomValues(new Uint32Array(1))[0]);
  const data = `data/soak-${seed}`;
  console.log(`Seed ${seed}`);
  const problems = await soak({
    seconds: Number(minutes) * 60,
    seed,
    data,
    reportSeconds: 10,
    tell: (line) => console.log(line),
  });
  for (const problem of problems.slice(0, 100)) console.log(problem);
  if (problems.length > 0) {
    console.log(`Failed: ${problems.length} problems; see ${data}`);
    return 1;
  }
  await Deno.remove(data, { recursive: true });
  console.log("Passed: every message is stored, and every member got it once and in order");
  return 0;
}

if (import.meta.main) await runProgram(PROGRAM, main);
