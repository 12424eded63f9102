/**
 * Deep equality, as `assertEquals` understands it.
 *
 * @module
 */

type Pairs = Map<object, object>;

/** Classes of which std compares instances by their texts. */
const TEXTUAL: unknown[] = [
  RegExp,
  URL,
  URLSearchParams,
  Intl.Locale,
  Temporal.Duration,
  Temporal.Instant,
  Temporal.PlainDate,
  Temporal.PlainDateTime,
  Temporal.PlainMonthDay,
  Temporal.PlainTime,
  Temporal.PlainYearMonth,
  Temporal.ZonedDateTime,
].map(({ prototype }) => prototype);

/**
 * Compares two values by what they hold.
 *
 * `0` equals `-0` and `NaN` equals `NaN`. Objects need the same prototype (a plain object equals one without a
 * prototype) and the same keys: a key that holds `undefined` is not a missing key. Of plain objects and arrays the
 * enumerable keys of their own count; of others all keys, those of their class too, so that its getters are compared.
 * Functions are equal only to themselves.
 *
 * @throws {TypeError} If two `WeakMap`s or two `WeakSet`s are compared, because what they hold cannot be seen.
 */
export function equal(a: unknown, b: unknown): boolean {
  return same(a, b, new Map());
}

function same(a: unknown, b: unknown, seen: Pairs): boolean {
  if (a === b || Object.is(a, b)) return true;
  if (!isObject(a) || !isObject(b)) return false;
  if (a instanceof Date && b instanceof Date) return Object.is(a.getTime(), b.getTime());
  return prototypeOf(a) === prototypeOf(b) && sameContent(a, b, seen);
}

function sameContent(a: object, b: object, seen: Pairs): boolean {
  if (a instanceof ArrayBuffer || a instanceof SharedArrayBuffer) {
    return sameNumbers(new Uint8Array(a), new Uint8Array(b as ArrayBuffer));
  }
  // By their numbers: a name for each of a million bytes takes seconds.
  if (ArrayBuffer.isView(a) && !(a instanceof DataView)) {
    return sameNumbers(a as Uint8Array, b as Uint8Array);
  }
  if (a instanceof WeakMap) throw new TypeError("Cannot compare WeakMap instances");
  if (a instanceof WeakSet) throw new TypeError("Cannot compare WeakSet instances");
  if (a instanceof WeakRef) return same(a.deref(), (b as WeakRef<WeakKey>).deref(), seen);
  if (seen.get(a) === b) return true; // a cycle: already being compared
  if (Object.keys(a).length !== Object.keys(b).length) return false;
  seen.set(a, b);
  if (a instanceof Set || a instanceof Map) return sameMembers(a, b as typeof a, seen);
  if (TEXTUAL.includes(Object.getPrototypeOf(a))) return String(a) === String(b);
  return [...keysOf(a), ...keysOf(b)].every((key) =>
    key in a && key in b && same(Reflect.get(a, key), Reflect.get(b, key), seen)
  );
}

/** Of any kind of typed array. */
function sameNumbers(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i] && !Object.is(a[i], b[i])) return false;
  return true;
}

function sameMembers<T extends Set<unknown> | Map<unknown, unknown>>(
  a: T,
  b: T,
  seen: Pairs,
): boolean {
  if (a.size !== b.size) return false;
  const others = [...b.entries()];
  // Members that are no objects are found at once.
  if (![...a.keys()].some((key) => isObject(key) || typeof key === "function")) {
    return [...a.entries()].every(([key, value]) =>
      b.has(key) && (a instanceof Set || same(value, (b as Map<unknown, unknown>).get(key), seen))
    );
  }
  return [...a.entries()].every(([key, value]) =>
    others.some(([otherKey, other]) =>
      same(key, otherKey, seen) && (a instanceof Set || same(value, other, seen))
    )
  );
}

/** The names of what is compared. */
function keysOf(value: object): Set<string | symbol> {
  const prototype = prototypeOf(value);
  const keys = Reflect.ownKeys(value);
  if (prototype === Object.prototype || prototype === Array.prototype) {
    return new Set(keys.filter((key) => Object.prototype.propertyIsEnumerable.call(value, key)));
  }
  return new Set([...keys, ...keysOfClass(prototype)]);
}

function keysOfClass(prototype: object | null): (string | symbol)[] {
  if (!prototype || prototype === Object.prototype || prototype === Array.prototype) return [];
  return [...Reflect.ownKeys(prototype), ...keysOfClass(Object.getPrototypeOf(prototype))];
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function prototypeOf(value: object): object {
  return Object.getPrototypeOf(value) ?? Object.prototype;
}
