/**
 * Functions that remember how they were called, alone or in place of a method.
 *
 * @module
 */

// deno-lint-ignore-file no-explicit-any -- the signatures are those of std

/** Says that a method cannot be replaced, or not be restored. */
export class MockError extends Error {
  /** Makes the error with its message. */
  constructor(message: string) {
    super(message);
    this.name = "MockError";
  }
}

/** One call of a spy. */
export interface SpyCall<Self = any, Args extends unknown[] = any[], Return = any> {
  /** The arguments. */
  args: Args;
  /** What it returned, unless it threw. */
  returned?: Return;
  /** What it threw. */
  error?: Error;
  /** The object it was called on. */
  self?: Self;
}

/** A function that remembers its calls. */
export interface Spy<Self = any, Args extends unknown[] = any[], Return = any> {
  (this: Self, ...args: Args): Return;
  /** The function it stands for. */
  original: (this: Self, ...args: Args) => Return;
  /** Its calls, first to last. */
  calls: SpyCall<Self, Args, Return>[];
  /** Whether the original method is back. */
  restored: boolean;
  /** Puts the original method back; a `MockError` when it is back, or when no method was replaced. */
  restore(): void;
}

/** A spy in place of a method, until the end of its `using` block. */
export interface MethodSpy<Self = any, Args extends unknown[] = any[], Return = any>
  extends Spy<Self, Args, Return>, Disposable {}

/** A spy in place of a method that calls something else instead. */
export interface Stub<Self = any, Args extends unknown[] = any[], Return = any>
  extends MethodSpy<Self, Args, Return> {
  /** What is called instead. */
  fake: (this: Self, ...args: Args) => Return;
}

/** The parameters of a method. */
export type GetParametersFromProp<Self, Prop extends keyof Self> = Self[Prop] extends
  (...args: infer Args) => unknown ? Args : unknown[];

/** What a method returns. */
export type GetReturnFromProp<Self, Prop extends keyof Self> = Self[Prop] extends
  (...args: any[]) => infer Return ? Return : unknown;

type AnyFunction = (this: any, ...args: any[]) => any;

/** Makes a function that does nothing but remember its calls. */
export function spy<Self = any, Args extends unknown[] = any[], Return = undefined>(): Spy<
  Self,
  Args,
  Return
>;
/** Makes a function that remembers its calls and passes them on. */
export function spy<Self, Args extends unknown[], Return>(
  func: (this: Self, ...args: Args) => Return,
): Spy<Self, Args, Return>;
/** Remembers the calls of a method and passes them on. */
export function spy<Self, Prop extends keyof Self>(
  self: Self,
  property: Prop,
): MethodSpy<Self, GetParametersFromProp<Self, Prop>, GetReturnFromProp<Self, Prop>>;
export function spy(target?: any, property?: PropertyKey): Spy {
  if (property !== undefined) {
    if (typeof target[property] !== "function") {
      throw new MockError("Cannot spy: property is not an instance method");
    }
    return replaceMethod("spy", target, property, target[property]);
  }
  const original: AnyFunction = target ?? (() => {});
  return Object.assign(remember(original), {
    original,
    restored: false,
    restore() {
      throw new MockError("Cannot restore: function cannot be restored");
    },
  });
}

/** Replaces a method by a function that does nothing but remember its calls. */
export function stub<Self, Prop extends keyof Self>(
  self: Self,
  property: Prop,
): Stub<Self, GetParametersFromProp<Self, Prop>, GetReturnFromProp<Self, Prop>>;
/** Replaces a method by another function and remembers the calls. */
export function stub<Self, Prop extends keyof Self>(
  self: Self,
  property: Prop,
  func: (
    this: Self,
    ...args: GetParametersFromProp<Self, Prop>
  ) => GetReturnFromProp<Self, Prop>,
): Stub<Self, GetParametersFromProp<Self, Prop>, GetReturnFromProp<Self, Prop>>;
export function stub(self: any, property: PropertyKey, func?: AnyFunction): Stub {
  if (self[property] !== undefined && typeof self[property] !== "function") {
    throw new MockError("Cannot stub: property is not an instance method");
  }
  const fake = func ?? (() => {});
  return Object.assign(replaceMethod("stub", self, property, fake), { fake });
}

/** Expects that the spy was called so many times; fails with an `AssertionError`. */
export function assertSpyCalls<Self, Args extends unknown[], Return>(
  spy: Spy<Self, Args, Return>,
  expectedCalls: number,
): void {
  const calls = spy.calls.length;
  if (calls === expectedCalls) return;
  const problem = calls < expectedCalls
    ? "Spy not called as much as expected"
    : "Spy called more than expected";
  // Not the class of @std/assert: packages here stand alone. The test runner shows both alike.
  const error = new Error(
    `${problem}:\n\n\n    [Diff] Actual / Expected\n\n\n-   ${calls}\n+   ${expectedCalls}\n`,
  );
  throw Object.assign(error, { name: "AssertionError" });
}

function remember(func: AnyFunction): AnyFunction & { calls: SpyCall[] } {
  const calls: SpyCall[] = [];
  return Object.assign(function (this: unknown, ...args: unknown[]) {
    const call: SpyCall = this ? { args, self: this } : { args };
    try {
      return call.returned = func.apply(this, args);
    } catch (error) {
      call.error = error as Error;
      throw error;
    } finally {
      calls.push(call);
    }
  }, { calls });
}

const replacements = new WeakSet<object>();

function replaceMethod(
  verb: string,
  self: any,
  property: PropertyKey,
  func: AnyFunction,
): MethodSpy {
  const original = self[property];
  if (original && replacements.has(original)) {
    throw new MockError(`Cannot ${verb}: already spying on instance method`);
  }
  const own = Object.getOwnPropertyDescriptor(self, property);
  if (own && !own.configurable) {
    throw new MockError(`Cannot ${verb}: non-configurable instance method`);
  }
  const replacement: MethodSpy = Object.assign(remember(func), {
    original,
    restored: false,
    restore() {
      if (replacement.restored) {
        throw new MockError("Cannot restore: instance method already restored");
      }
      if (own) Object.defineProperty(self, property, own);
      else delete self[property];
      replacement.restored = true;
    },
    [Symbol.dispose]: () => replacement.restore(),
  });
  replacements.add(replacement);
  const { enumerable = false, writable = false } = own ?? {};
  Object.defineProperty(self, property, {
    value: replacement,
    configurable: true,
    enumerable,
    writable,
  });
  return replacement;
}
