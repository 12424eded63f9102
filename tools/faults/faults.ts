/**
 * The fault proxy as a program: `deno task faults`.
 *
 * @module
 */

import process from "node:process";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { wantsColor } from "../../lib/terminal/color.ts";
import { joinHostPort, parseHost, parsePort } from "../../lib/base/endpoint.ts";
import {
  type FaultProxyEvent,
  type FaultProxyOptions,
  startFaultProxy,
} from "../../lib/faults/fault_proxy.ts";
import { withNegatives, withoutSeparator } from "../../lib/base/task_args.ts";
import { obey } from "./fault_commands.ts";
import { type BothFaults, FAULT_SETTINGS, settingsText, withSetting } from "./fault_settings.ts";
import { FaultTrace, summaryText } from "./fault_trace.ts";
import { onStopSignal } from "../../servers/control/signals.ts";

const USAGE = `Stands between a client and a server and makes the network misbehave.

Usage: deno task faults --to [HOST:]PORT [--listen [HOST:]PORT] [--seed N] [--trace] [faults]

  --to ADDRESS      the server
  --listen ADDRESS  where clients connect (127.0.0.1:9191; port 0 takes any free one)
  --seed N          do the same again as the run that printed this seed
  --trace           show the beginning of every frame that crosses, passwords too
  --help            show this

Faults, for both directions; --up.NAME is from the client to the server, --down.NAME back:

${
  Object.entries(FAULT_SETTINGS).map(([name, { value, does }]) =>
    `  ${`--${name} ${value}`.padEnd(32)} ${does}`
  ).join("\n")
}

While it runs, standard input takes commands; help lists them.`;

/** What the user asked for. */
export interface FaultFlags {
  /** What to start. */
  proxy: FaultProxyOptions & BothFaults;
  /** Whether to show frames. */
  trace: boolean;
}

/**
 * Reads the flags, or gives the help that was asked for instead.
 *
 * @throws {TypeError | RangeError} If one is unknown, or has no value that can be right.
 */
export function parseFlags(args: string[]): FaultFlags | { help: string } {
  const names = Object.keys(FAULT_SETTINGS).flatMap((name) => [name, `up.${name}`, `down.${name}`]);
  const { values } = parseArgs({
    args: withNegatives(withoutSeparator(args), names),
    options: {
      ...Object.fromEntries(names.map((name) => [name, { type: "string" } as const])),
      listen: { type: "string", default: "9191" },
      to: { type: "string" },
      seed: { type: "string" },
      trace: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  const { listen, to, seed, trace, help, ...settings } = values as
    & Record<string, string | undefined>
    & { listen: string; trace: boolean; help: boolean };
  if (help) return { help: USAGE };
  if (to === undefined) {
    throw new TypeError("Cannot start: give the server's address, as --to 127.0.0.1:9090");
  }
  const faults = Object.entries(settings).reduce<BothFaults>(
    (faults, [name, value]) => withSetting(faults, name, value!),
    { up: {}, down: {} },
  );
  const proxy = {
    listen: parseAddress(listen, true),
    to: parseAddress(to, false),
    ...(seed !== undefined && { seed: parseSeed(seed) }),
    ...faults,
  };
  return { proxy, trace };
}

function parseAddress(text: string, allowZero: boolean): { hostname: string; port: number } {
  const [, host = "127.0.0.1", port = ""] = /^(?:(.*):)?([^:]*)$/s.exec(text)!;
  return { hostname: parseHost(host), port: parsePort(port, { allowZero }) };
}

function parseSeed(text: string): number {
  const seed = Number(text);
  if (/^\d+$/.test(text) && seed < 2 ** 32) return seed;
  throw new RangeError("Cannot use the seed: give a whole number from 0 to 4294967295");
}

async function run({ proxy: options, trace: isOn }: FaultFlags): Promise<void> {
  const trace = new FaultTrace(isOn, { colors: wantsColor() });
  const onEvent = (event: FaultProxyEvent) =>
    trace.lines(event).forEach((line) => console.log(line));
  const proxy = await startFaultProxy({ ...options, onEvent });
  const { promise: over, resolve: quit } = Promise.withResolvers<void>();
  // Before the first line: who has read it may send a signal.
  const listening = onStopSignal(() => {
    listening[Symbol.dispose](); // the second is left to the system, which ends the process
    quit();
  });
  const { up, down, to: { hostname = "127.0.0.1", port } } = options;
  console.log(`Listening on ${joinHostPort(proxy.addr.hostname, proxy.addr.port)}`);
  const target = joinHostPort(hostname, port);
  console.log(`To ${target}; seed ${proxy.seed}; faults: ${settingsText({ up, down })}`);
  const control = { proxy, faults: { up, down }, trace, quit };
  const input = createInterface({ input: process.stdin });
  input.on("line", (line) => {
    const answer = obey(control, line);
    if (answer !== "") console.log(answer);
  });
  await over;
  listening[Symbol.dispose]();
  input.close();
  await proxy.close();
  console.log(`${summaryText(proxy.summary)}\nSeed: ${proxy.seed}`);
}

async function main(args: string[]): Promise<number> {
  let flags;
  try {
    flags = parseFlags(args);
  } catch (error) {
    console.error((error as Error).message);
    return 2;
  }
  try {
    if ("help" in flags) console.log(flags.help);
    else await run(flags);
    return 0;
  } catch (error) {
    console.error(`Cannot run the proxy: ${(error as Error).message}`);
    return 1;
  }
}

if (import.meta.main) Deno.exitCode = await main(Deno.args);
