/**
 * Checks of arguments, for callers without a compiler: a wrong one is refused before anything has begun.
 *
 * `action`, in each of them, is what cannot be done, for the message: "serve", say. An option that is left out is fine.
 *
 * @module
 */

/**
 * Checks limits by their names.
 *
 * @throws {RangeError} If one is less than `least`, or not a number.
 */
export function checkLimits(
  action: string,
  limits: Record<string, number | undefined>,
  least = 0,
): void {
  for (const [name, limit = least] of Object.entries(limits)) {
    if (typeof limit === "number" && limit >= least) continue;
    throw new RangeError(`Cannot ${action}: ${name} is ${limit}. Give a number from ${least}`);
  }
}

/**
 * Checks functions by their names: those that must be given, and those that may be left out.
 *
 * @throws {TypeError} If one is not a function.
 */
export function checkFunctions(
  action: string,
  required: Record<string, unknown>,
  optional: Record<string, unknown> = {},
): void {
  for (const [name, given] of Object.entries({ ...optional, ...required })) {
    if (typeof given === "function" || given === undefined && name in optional) continue;
    throw new TypeError(`Cannot ${action}: ${name} is ${kindOf(given)}. Give a function`);
  }
}

/**
 * Checks an object with options, or with methods that are called later.
 *
 * @throws {TypeError} If it is not an object, or lacks one of the methods.
 */
export function checkObject(
  action: string,
  name: string,
  given: unknown,
  methods: string[] = [],
): void {
  if (typeof given !== "object" || given === null) {
    throw new TypeError(`Cannot ${action}: ${name} is ${kindOf(given)}. Give an object`);
  }
  const missing = methods.find((method) => typeof Reflect.get(given, method) !== "function");
  if (missing !== undefined) throw new TypeError(`Cannot ${action}: ${name} has no ${missing}()`);
}

/**
 * Checks names, paths and the like.
 *
 * @throws {TypeError} If one is not a string, or empty.
 */
export function checkStrings(action: string, strings: Record<string, unknown>): void {
  for (const [name, given] of Object.entries(strings)) {
    if (given === "") throw new TypeError(`Cannot ${action}: ${name} is empty`);
    if (given === undefined || typeof given === "string") continue;
    throw new TypeError(`Cannot ${action}: ${name} is ${kindOf(given)}. Give a string`);
  }
}

/**
 * Checks the signal of a call.
 *
 * @throws {TypeError} If it is not an `AbortSignal`.
 */
export function checkSignal(action: string, signal: unknown): void {
  if (signal === undefined || signal instanceof AbortSignal) return;
  throw new TypeError(`Cannot ${action}: signal is ${kindOf(signal)}. Give an AbortSignal`);
}

/** What a value is, for a message: its text may be long, or a secret. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return `${value}`;
  const kind = typeof value === "object" ? value.constructor?.name || "object" : typeof value;
  return `${/^[aeio]/i.test(kind) ? "an" : "a"} ${kind}`;
}
