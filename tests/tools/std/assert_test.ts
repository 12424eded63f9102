import * as std from "@std/assert";
import * as subset from "../../../tools/std/assert/mod.ts";

type Subset = Pick<typeof std, keyof typeof subset>;
const offline: Subset = subset; // compiles only while our signatures are those of std

for (const [source, tested] of Object.entries({ std, offline })) {
  const a: Subset = tested; // declared: TypeScript wants that of assertion functions
  const test = (name: string, fn: () => void | Promise<void>) =>
    Deno.test(`${source}: ${name}`, fn);

  /** Checks without the functions under test. */
  const failure = (fn: () => unknown): string => {
    try {
      fn();
    } catch (error) {
      if (error instanceof a.AssertionError) return error.message;
      throw error;
    }
    throw new Error("Expected a failed assertion");
  };
  const rejection = async (fn: () => Promise<unknown>): Promise<string> => {
    const error = await fn().then(() => undefined, (error: unknown) => error);
    return failure(() => {
      if (error) throw error;
    });
  };

  test("assertEquals() refuses to compare what cannot be looked into", () => {
    for (const make of [() => new WeakMap(), () => new WeakSet()]) {
      const error = a.assertThrows(() => a.assertEquals(make(), make()), TypeError);
      if (!/^Cannot compare Weak(Map|Set) instances$/.test(error.message)) throw error;
    }
    const held = {};
    a.assertEquals(new WeakRef(held), new WeakRef(held));
    a.assertNotEquals(new WeakRef({ a: 1 }), new WeakRef({ a: 2 }));
  });

  class Point {
    constructor(readonly x: number) {}
  }
  const hide = (object: object, value: number) =>
    Object.defineProperty(object, "hidden", { value });
  const cycle: Record<string, unknown> = { n: 1 };
  cycle.self = cycle;
  const sameCycle: Record<string, unknown> = { n: 1 };
  sameCycle.self = sameCycle;
  const equal: [what: string, a: unknown, b: unknown][] = [
    ["numbers", 1, 1],
    ["zeros of either sign", 0, -0],
    ["NaN", NaN, NaN],
    ["arrays", [1, [2, "x"]], [1, [2, "x"]]],
    ["objects in any order of keys", { a: 1, b: { c: 2 } }, { b: { c: 2 }, a: 1 }],
    ["objects without a prototype", Object.assign(Object.create(null), { a: 1 }), { a: 1 }],
    ["symbol keys", { [Symbol.for("k")]: 1 }, { [Symbol.for("k")]: 1 }],
    ["bytes", new Uint8Array([1, 2]), new Uint8Array([1, 2])],
    ["a view and a copy", new Uint8Array([0, 1, 2]).subarray(1), new Uint8Array([1, 2])],
    ["buffers", new Uint8Array([1]).buffer, new Uint8Array([1]).buffer],
    ["dates", new Date(5), new Date(5)],
    ["bytes with other keys", Object.assign(new Uint8Array(1), { a: 1 }), new Uint8Array(1)],
    ["objects with hidden keys", hide({ a: 1 }, 1), hide({ a: 1 }, 2)],
    ["parameters of an address", new URLSearchParams("a=1"), new URLSearchParams("a=1")],
    ["invalid dates", new Date(NaN), new Date(NaN)],
    ["patterns", /a/g, /a/g],
    ["addresses", new URL("http://a/b"), new URL("http://a/b")],
    ["sets", new Set([1, { a: 1 }]), new Set([{ a: 1 }, 1])],
    [
      "maps",
      new Map([["a", { b: 1 }], ["c", { b: 2 }]]),
      new Map([["c", { b: 2 }], ["a", { b: 1 }]]),
    ],
    ["cycles", cycle, sameCycle],
  ];
  for (const [what, left, right] of equal) {
    test(`assertEquals() finds equal: ${what}`, () => {
      a.assertEquals(left, right);
      failure(() => a.assertNotEquals(left, right));
    });
  }

  class Hidden {
    readonly #x: number;
    constructor(x: number) {
      this.#x = x;
    }
    get x() {
      return this.#x;
    }
  }
  const shared = (byte: number) => {
    const buffer = new SharedArrayBuffer(1);
    new Uint8Array(buffer)[0] = byte;
    return buffer;
  };
  const unequal: [what: string, a: unknown, b: unknown][] = [
    ["a number and its text", 1, "1"],
    ["null and undefined", null, undefined],
    ["a missing and an undefined key", { a: undefined }, {}],
    ["different keys that hold undefined", { a: undefined }, { b: undefined }],
    ["arrays of different length", [1], [1, 2]],
    ["a hole and undefined", Array(1), [undefined]],
    ["an array and an object", [1], { 0: 1 }],
    ["an instance and an object", new Point(1), { x: 1 }],
    ["instances", new Point(1), new Point(2)],
    ["bytes", new Uint8Array([1, 2]), new Uint8Array([1, 3])],
    ["kinds of bytes", new Uint8Array([1]), new Int8Array([1])],
    ["buffers", new Uint8Array([1]).buffer, new Uint8Array([2]).buffer],
    ["dates", new Date(5), new Date(6)],
    ["shared buffers", shared(1), shared(2)],
    ["what getters of a class give", new Hidden(1), new Hidden(2)],
    ["what hidden keys of an instance hold", hide(new Point(1), 1), hide(new Point(1), 2)],
    ["patterns", /a/g, /a/i],
    ["sets", new Set([1, 2]), new Set([1, 3])],
    ["maps", new Map([["a", 1]]), new Map([["a", 2]])],
    ["functions", () => 1, () => 1],
  ];
  for (const [what, left, right] of unequal) {
    test(`assertEquals() finds different: ${what}`, () => {
      a.assertNotEquals(left, right);
      failure(() => a.assertEquals(left, right));
      failure(() => a.assertEquals(right, left));
    });
  }

  test("assertEquals() shows both values and the caller's message", () => {
    const message = failure(() => a.assertEquals({ a: 1, b: 2 }, { a: 1, b: 3 }, "sum"));
    a.assertStringIncludes(message, "Values are not equal: sum");
    a.assertMatch(message, /- .*b: 2/);
    a.assertMatch(message, /\+ .*b: 3/);
    a.assertMatch(message, / {4}.*a: 1/);
  });

  test("assertStrictEquals() wants one and the same value", () => {
    const value = {};
    a.assertStrictEquals(value, value);
    a.assertStrictEquals(NaN, NaN);
    a.assertStringIncludes(
      failure(() => a.assertStrictEquals({}, {})),
      "reference-equal.\n\n    {}",
    );
    const getter = {
      get a() {
        return 1;
      },
    };
    a.assertStringIncludes(failure(() => a.assertEquals<object>(getter, {})), "[Getter: 1]");
    const [made, same] = [
      failure(() => a.assertInstanceOf(() => {}, Date)),
      failure(() => a.assertInstanceOf({ constructor: Date }, Date)),
    ];
    a.assertStringIncludes(made, 'instance of "Date" but was not an instanced object.');
    a.assertStringIncludes(same, 'instance of "Date".');
    a.assertStringIncludes(failure(() => a.assertStrictEquals(1, 2)), "not strictly equal");
    failure(() => a.assertStrictEquals(0, -0));
  });

  test("assert() takes what is truthy; assertMatch() and assertStringIncludes() look into a text", () => {
    a.assert(1);
    if (failure(() => a.assert(0, "zero")) !== "zero") throw new Error("not its message");
    for (const falsy of ["", undefined]) failure(() => a.assert(falsy));
    a.assertMatch("port 9090", /\d+/);
    a.assertStringIncludes("port 9090", "9090");
    failure(() => a.assertMatch("port", /\d+/));
    failure(() => a.assertStringIncludes("port", "9090"));
  });

  test("assertInstanceOf() names both classes", () => {
    a.assertInstanceOf(new RangeError(), Error);
    const message = failure(() => a.assertInstanceOf(new Map(), Set));
    a.assertEquals(message, 'Expected object to be an instance of "Set" but was "Map".');
    failure(() => a.assertInstanceOf(null, Set));
  });

  test("assertGreater() and its kin compare", () => {
    a.assertGreater(2, 1);
    a.assertGreaterOrEqual(1, 1);
    a.assertLess(1, 2);
    a.assertLessOrEqual(1, 1);
    a.assertEquals(failure(() => a.assertGreater(1, 1)), "Expect 1 > 1");
    a.assertEquals(failure(() => a.assertGreaterOrEqual(0, 1)), "Expect 0 >= 1");
    a.assertEquals(failure(() => a.assertLess(1, 1, "too late")), "too late");
    a.assertEquals(failure(() => a.assertLessOrEqual(2, 1)), "Expect 2 <= 1");
  });

  test("assertThrows() returns what was thrown, and refuses silence, another class and another message", () => {
    const error = new RangeError("limit is 3");
    const thrower = () => {
      throw error;
    };
    a.assertStrictEquals(a.assertThrows(thrower), error);
    a.assertStrictEquals(a.assertThrows(thrower, Error, "is 3"), error);
    a.assertStrictEquals(a.assertThrows(thrower, "a reason"), error);
    a.assertEquals(failure(() => a.assertThrows(() => {})), "Expected function to throw.");
    a.assertStringIncludes(failure(() => a.assertThrows(thrower, TypeError)), '"TypeError"');
    a.assertStringIncludes(failure(() => a.assertThrows(thrower, Error, "is 4")), '"is 4"');
    const text = () => {
      throw "a text";
    };
    a.assertStringIncludes(failure(() => a.assertThrows(text, Error)), "non-Error");
  });

  test("assertRejects() resolves to the reason, and refuses success, another error and a function that throws", async () => {
    const limit = new RangeError("limit is 3");
    const reject = () => Promise.reject(limit);
    a.assertStrictEquals(await a.assertRejects(reject), limit);
    a.assertStrictEquals(await a.assertRejects(reject, Error, "is 3"), limit);
    const thrower = () => {
      throw new Error("at once");
    };
    a.assertStringIncludes(
      await rejection(() => a.assertRejects(() => Promise.resolve())),
      "to reject",
    );
    a.assertStringIncludes(
      await rejection(() => a.assertRejects(reject, TypeError)),
      '"TypeError"',
    );
    a.assertStringIncludes(await rejection(() => a.assertRejects(reject, Error, "is 4")), '"is 4"');
    a.assertStringIncludes(await rejection(() => a.assertRejects(thrower)), "Function throws");
  });
}
