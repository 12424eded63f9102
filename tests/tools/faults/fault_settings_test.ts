import { assertEquals, assertThrows } from "@std/assert";
import {
  type BothFaults,
  readDuration,
  settingsText,
  withSetting,
} from "../../../tools/faults/fault_settings.ts";

const none: BothFaults = { up: {}, down: {} };

Deno.test("withSetting() sets both directions, or the one that is named", () => {
  assertEquals(withSetting(none, "split", "3"), { up: { splitBytes: 3 }, down: { splitBytes: 3 } });
  assertEquals(withSetting(none, "up.delay", "50"), { up: { delayMs: 50 }, down: {} });
  assertEquals(withSetting(none, "down.cut-by", "reset"), { up: {}, down: { cutBy: "reset" } });
  assertEquals(withSetting(none, "up.swallow", "on"), { up: { swallow: true }, down: {} });
  assertEquals(withSetting(none, "up.flip", ".25"), { up: { flipRate: 0.25 }, down: {} });
});

Deno.test("withSetting() keeps the other settings and takes one away when it is off", () => {
  const both = withSetting(withSetting(none, "split", "3"), "delay", "5s");

  assertEquals(withSetting(both, "split", "off"), {
    up: { delayMs: 5000 },
    down: { delayMs: 5000 },
  });
  assertEquals(none, { up: {}, down: {} });
});

Deno.test("withSetting() says what is wrong with a name or a value", () => {
  for (const name of ["nonsense", "sideways.split", "up.", "__proto__", "up.constructor"]) {
    assertThrows(() => withSetting(none, name, "1"), TypeError, "there is no such fault");
  }
  assertThrows(() => withSetting(none, "x\x1b[2J", "1"), TypeError, '"x\\x1b[2J"');
  assertThrows(() => withSetting(none, "delay", "soon"), TypeError, "a time such as 250ms or 5s");
  assertThrows(() => withSetting(none, "split", "1.5"), TypeError, "a whole number");
  assertThrows(
    () => withSetting(none, "split", "0"),
    RangeError,
    'Cannot set split to "0": give a whole number from 1',
  );
  assertThrows(
    () => withSetting(none, "up.flip", "2"),
    RangeError,
    'Cannot set up.flip to "2": give a number from 0 to 1',
  );
  assertThrows(() => withSetting(none, "flip", "2"), RangeError, "from 0 to 1");
  assertThrows(() => withSetting(none, "cut-by", "axe"), TypeError, "close or reset or half-close");
});

Deno.test("settingsText() shows what withSetting() reads", () => {
  const typed = ["up.split=3", "up.delay=50", "up.swallow=on", "down.cut-by=reset"];
  const faults = typed.reduce((faults, setting) => {
    const [name, value] = setting.split("=");
    return withSetting(faults, name!, value!);
  }, none);

  assertEquals(settingsText(faults), typed.join(" "));
  assertEquals(settingsText(none), "none");
});

Deno.test("readDuration() reads milliseconds and seconds", () => {
  assertEquals(["0", "250", "250ms", "5s", "1.5s"].map(readDuration), [0, 250, 250, 5000, 1500]);
  for (const text of ["", "-1", "5m", "s", "1e3"]) {
    assertThrows(() => readDuration(text), TypeError);
  }
});
