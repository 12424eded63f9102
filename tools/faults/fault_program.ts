/**
 * The fault proxy as a program: `deno task faults`.
 *
 * @module
 */

import process from "node:process";
import { createInterface } from "node:readline";
import { wantsColor } from "../../lib/terminal/color.ts";
import { joinHostPort, parseHost, parsePort } from "../../lib/base/endpoint.ts";
import {
  type FaultProxyEvent,
  type FaultProxyOptions,
  startFaultProxy,
} from "../../lib/faults/fault_proxy.ts";
import { obey } from "./fault_commands.ts";
import { type BothFaults, FAULT_SETTINGS, settingsText, withSetting } from "./fault_settings.ts";
import { FaultTrace, summaryText } from "./fault_trace.ts";
import {
  type FlagValues,
  type Program,
  runProgram,
  UsageError,
  wholeNumber,
} from "../../servers/control/command_line.ts";
import { onStopSignal } from "../../servers/control/signals.ts";

const NO_FAULTS: BothFaults = { up: {}, down: {} };

/** The command line of the fault proxy. */
export const FAULTS_PROGRAM: Program = {
  usage: "deno task faults --to [HOST:]PORT [flags]",
  flags: {
    to: { value: "ADDRESS", help: "the server", check: (text) => parseAddress(text, false) },
    listen: {
      value: "ADDRESS",
      help: "where clients connect; port 0 takes any free one",
      default: "127.0.0.1:9191",
      check: (text) => parseAddress(text, true),
    },
    seed: {
      value: "N",
      help: "repeat the run that printed this seed",
      check: wholeNumber(0, 2 ** 32 - 1),
    },
    trace: { help: "show the beginning of every frame that crosses, passwords too" },
    ...Object.fromEntries(
      ["", "up.", "down."].flatMap((direction) =>
        Object.entries(FAULT_SETTINGS).map(([setting, { value, does }]) => {
          const name = direction + setting;
          const check = (text: string) => withSetting(NO_FAULTS, name, text);
          return [name, { value, help: does, check, isHidden: direction !== "" }];
        })
      ),
    ),
  },
  notes: "--up.NAME VALUE is a fault from the client to the server only, --down.NAME back.\n" +
    "While the proxy runs, standard input takes commands; help lists them.",
};

/** What the user asked for. */
export interface FaultFlags {
  /** What to start. */
  proxy: FaultProxyOptions & BothFaults;
  /** Whether to show frames. */
  trace: boolean;
}

/**
 * The proxy that the flags ask for.
 *
 * @throws {UsageError} If the server's address is missing.
 */
export function settingsOf({ to, listen, seed, trace, ...settings }: FlagValues): FaultFlags {
  if (to === undefined) {
    throw new UsageError("Cannot start: give the server's address, as --to 127.0.0.1:9090");
  }
  const faults = Object.entries(settings).reduce(
    (faults, [name, value]) => withSetting(faults, name, value),
    NO_FAULTS,
  );
  const proxy = {
    listen: parseAddress(listen!, true),
    to: parseAddress(to, false),
    ...(seed !== undefined && { seed: Number(seed) }),
    ...faults,
  };
  return { proxy, trace: trace !== undefined };
}

function parseAddress(text: string, allowZero: boolean): { hostname: string; port: number } {
  const [, host = "127.0.0.1", port = ""] = /^(?:(.*):)?([^:]*)$/s.exec(text)!;
  return { hostname: parseHost(host), port: parsePort(port, { allowZero }) };
}

async function main(values: FlagValues): Promise<void> {
  const { proxy: options, trace: isOn } = settingsOf(values);
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

if (import.meta.main) await runProgram(FAULTS_PROGRAM, main);
