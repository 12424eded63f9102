/**
 * What a person can tell a running fault proxy, one command a line.
 *
 * @module
 */

import { escapeControl } from "../../lib/base/escape.ts";
import type { FaultProxy } from "../../lib/faults/fault_proxy.ts";
import { nearest } from "../../lib/base/nearest.ts";
import { type BothFaults, readDuration, settingsText, withSetting } from "./fault_settings.ts";
import { type FaultTrace, summaryText } from "./fault_trace.ts";

/** What commands act on. */
export interface FaultControl {
  /** The proxy. */
  proxy: FaultProxy;
  /** Its present faults. */
  faults: BothFaults;
  /** What is shown of the wire. */
  trace: FaultTrace;
  /** Ends the program. */
  quit(): void;
}

/** One command: how it is typed, what it does, and the deed. */
export interface FaultCommand {
  /** How it is typed. */
  usage: string;
  /** What it does, in a few words. */
  does: string;
  /** Gives the answer; an error's message is one too. */
  run(control: FaultControl, words: string[]): string;
}

/** All commands by name. */
export const FAULT_COMMANDS: Readonly<Record<string, FaultCommand>> = {
  help: {
    usage: "help",
    does: "show the commands",
    run: () =>
      Object.values(FAULT_COMMANDS).map(({ usage, does }) => `${usage.padEnd(22)} ${does}`)
        .join("\n"),
  },
  status: {
    usage: "status",
    does: "show the faults and the numbers so far",
    run: ({ proxy, faults }) =>
      `Seed ${proxy.seed}; faults: ${settingsText(faults)}\n${summaryText(proxy.summary)}`,
  },
  set: {
    usage: "set NAME=VALUE...",
    does: "change faults: set delay=50 up.split=1; NAME=off ends one",
    run: (control, words) => {
      if (words.length === 0) throw new TypeError("Cannot set nothing: give NAME=VALUE");
      return use(
        control,
        words.reduce((faults, word) => {
          const [, name = word, value = ""] = /^([^=]*)=(.*)$/s.exec(word) ?? [];
          return withSetting(faults, name, value);
        }, control.faults),
      );
    },
  },
  clear: {
    usage: "clear",
    does: "end all faults",
    run: (control) => use(control, { up: {}, down: {} }),
  },
  refuse: {
    usage: "refuse TIME",
    does: "refuse new connections for so long, such as 5s",
    run: ({ proxy }, [time = ""]) => {
      const ms = durationOr(time);
      proxy.refuse(ms);
      return `Refusing new connections for ${ms} ms`;
    },
  },
  cut: {
    usage: "cut",
    does: "close all present connections",
    run: ({ proxy }) => (proxy.cut("close"), "Closed all connections"),
  },
  reset: {
    usage: "reset",
    does: "reset all present connections",
    run: ({ proxy }) => (proxy.cut("reset"), "Reset all connections"),
  },
  trace: {
    usage: "trace on|off",
    does: "show every frame, or stop",
    run: (control, [word]) => {
      if (word !== "on" && word !== "off") throw new TypeError("Cannot trace: give on or off");
      control.trace.isOn = word === "on";
      return `Trace ${word}`;
    },
  },
  quit: {
    usage: "quit",
    does: "end the proxy",
    run: (control) => (control.quit(), ""),
  },
};

/** Obeys one line and gives the answer, empty when there is none. A mistake changes nothing. */
export function obey(control: FaultControl, line: string): string {
  const [name = "", ...words] = line.trim().split(/\s+/);
  if (name === "") return "";
  if (!Object.hasOwn(FAULT_COMMANDS, name)) {
    const near = nearest(name, Object.keys(FAULT_COMMANDS));
    return `There is no command "${escapeControl(name)}". ` +
      (near ? `Did you mean ${near}?` : "Type help to see them all");
  }
  try {
    return FAULT_COMMANDS[name]!.run(control, words);
  } catch (error) {
    return (error as Error).message;
  }
}

function use(control: FaultControl, faults: BothFaults): string {
  control.proxy.set(faults);
  control.faults = faults;
  return `Faults: ${settingsText(faults)}`;
}

function durationOr(text: string): number {
  try {
    return readDuration(text);
  } catch (cause) {
    const expected = (cause as Error).message;
    throw new TypeError(`Cannot refuse for "${escapeControl(text)}": give ${expected}`, { cause });
  }
}
