/**
 * The names by which a person sets the faults of the proxy, in flags and in commands.
 *
 * @module
 */

import { escapeControl } from "../../lib/base/escape.ts";
import type { FaultDirection } from "../../lib/faults/fault_connection.ts";
import { type Faults, wrongFault } from "../../lib/faults/fault_options.ts";
import { nearest } from "../../lib/base/nearest.ts";

/** One setting: which option of {@linkcode Faults} it is, how its value is read, and what it does. */
export interface FaultSetting {
  /** The option it sets. */
  option: keyof Faults;
  /** What stands for the value in a usage line. */
  value: string;
  /** What it does, in a few words. */
  does: string;
  /** Reads the value; a `TypeError` says what is expected. */
  read(text: string): number | boolean | string;
}

/** All settings by name. A name alone is for both directions, `up.` or `down.` before it for one. */
export const FAULT_SETTINGS: Readonly<Record<string, FaultSetting>> = {
  "split": number("splitBytes", "BYTES", "send pieces of at most so many bytes"),
  "merge": duration("mergeMs", "collect for so long, send as one"),
  "delay": duration("delayMs", "deliver so much later"),
  "jitter": duration("jitterMs", "and up to so much more"),
  "rate": number("bytesPerSecond", "BYTES", "deliver at most so many bytes a second"),
  "stall": duration("stallMs", "stop for so long, once a connection"),
  "stall-after": number("stallAfterBytes", "BYTES", "how many bytes before the stall (0)"),
  "cut": number("cutAfterBytes", "BYTES", "cut the connection after so many bytes"),
  "cut-header": number("cutInHeader", "FRAME", "cut inside the header of this frame, from 1"),
  "cut-body": number("cutInBody", "FRAME", "cut inside the body of this frame, from 1"),
  "cut-by": choice("cutBy", ["close", "reset", "half-close"], "how to cut (close)"),
  "swallow": {
    option: "swallow",
    value: "on",
    does: "receive everything, deliver nothing",
    read: (text) => oneOf(text, ["on", "off"]) === "on",
  },
  "flip": number("flipRate", "RATE", "flip a bit in this share of the bytes, 0 to 1"),
  "insert": number("insertRate", "RATE", "insert a byte before this share of the bytes"),
};

/** The faults of both directions. */
export type BothFaults = Record<FaultDirection, Faults>;

/**
 * Adds a setting such as `delay` or `up.delay` to the faults; `off` takes it away.
 *
 * @throws {TypeError} If the name or the value is unknown.
 * @throws {RangeError} If the number is out of its range.
 */
export function withSetting(faults: BothFaults, name: string, value: string): BothFaults {
  const { directions, setting } = settingNamed(name);
  const changed = { ...faults };
  for (const direction of directions) {
    const { [setting.option]: _old, ...others } = changed[direction];
    changed[direction] = value === "off" ? others : {
      ...others,
      [setting.option]: read(setting, name, value),
    };
    check(changed[direction], name, value);
  }
  return changed;
}

/** The settings that are on, as they would be typed; "none" without any. */
export function settingsText(faults: BothFaults): string {
  const texts = (["up", "down"] as const).flatMap((direction) =>
    Object.entries(FAULT_SETTINGS).flatMap(([name, { option }]) => {
      const value = faults[direction][option];
      if (value === undefined || value === false) return [];
      return [`${direction}.${name}=${value === true ? "on" : value}`];
    })
  );
  return texts.join(" ") || "none";
}

/**
 * Reads a time such as `250`, `250ms` or `5s`, in milliseconds.
 *
 * @throws {TypeError} If it is none.
 */
export function readDuration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s)?$/.exec(text);
  if (!match) throw new TypeError(`a time such as 250ms or 5s`);
  return Number(match[1]) * (match[2] === "s" ? 1000 : 1);
}

function settingNamed(name: string): { directions: FaultDirection[]; setting: FaultSetting } {
  const [, direction, bare = ""] = /^(?:(up|down)\.)?(.*)$/s.exec(name)!;
  if (!Object.hasOwn(FAULT_SETTINGS, bare)) {
    const near = nearest(bare, Object.keys(FAULT_SETTINGS));
    const advice = near ? `, did you mean ${near}?` : "";
    throw new TypeError(`Cannot set "${escapeControl(name)}": there is no such fault${advice}`);
  }
  return {
    directions: direction ? [direction as FaultDirection] : ["up", "down"],
    setting: FAULT_SETTINGS[bare]!,
  };
}

function read(setting: FaultSetting, name: string, text: string): number | boolean | string {
  try {
    return setting.read(text);
  } catch (cause) {
    const expected = (cause as Error).message;
    throw new TypeError(`Cannot set ${name} to "${escapeControl(text)}": give ${expected}`, {
      cause,
    });
  }
}

/** Tells what is wrong by the name that was typed, not by that of the option. */
function check(faults: Faults, name: string, text: string): void {
  const wrong = wrongFault(faults);
  if (!wrong) return;
  throw new RangeError(`Cannot set ${name} to "${escapeControl(text)}": give ${wrong.expected}`);
}

function number(option: keyof Faults, value: string, does: string): FaultSetting {
  const whole = value !== "RATE";
  const read = (text: string) => {
    if (whole ? /^\d{1,15}$/.test(text) : /^\d*\.?\d+$/.test(text)) return Number(text);
    throw new TypeError(whole ? "a whole number" : "a number from 0 to 1");
  };
  return { option, value, does, read };
}

function duration(option: keyof Faults, does: string): FaultSetting {
  return { option, value: "TIME", does, read: readDuration };
}

function choice(option: keyof Faults, choices: string[], does: string): FaultSetting {
  return { option, value: choices.join("|"), does, read: (text) => oneOf(text, choices) };
}

function oneOf(text: string, choices: string[]): string {
  if (choices.includes(text)) return text;
  throw new TypeError(choices.join(" or "));
}
