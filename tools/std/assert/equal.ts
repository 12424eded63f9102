/**
 * Deep equality, as `assertEquals` understands it.
 *
 * @module
 */

type Pairs = Map<object, object>;

/**
 * Compares two values by what they hold.
 *
 * `0` equals `-0` and `NaN` equals `NaN`. Objects need the same prototype (a plain object equals one without a
 * prototype) and the same own keys: a key that holds `undefined` is not a missing key. Functions and promises are equal
 * only to themselves.
 *
 * @throws {TypeError} If two `WeakMap`s or two `WeakSet`s are compared, because what they hold cannot be seen.
 */
export function equal(a: unknown, b: unknown): boolean {
  return same(a, b, new Map());
}

function same(a: unknown, b: unknown, seen: Pairs): boolean {
  if (a === b || Object.is(a, b)) return true;
  if (!isObject(a) || !isObject(b) || prototypeOf(a) !== prototypeOf(b)) return false;
  if (seen.get(a) === b) return true; // a cycle: already being compared
  seen.set(a, b);
  return sameContent(a, b, seen);
}

function sameContent(a: object, b: object, seen: Pairs): boolean {
  if (a instanceof Date) return Object.is(a.getTime(), (b as Date).getTime());
  if (a instanceof RegExp || a instanceof URL) return String(a) === String(b);
  if (a instanceof ArrayBuffer) {
    return sameNumbers(new Uint8Array(a), new Uint8Array(b as ArrayBuffer));
  }
  // By their numbers: a name for each of a million bytes takes seconds.
  if (ArrayBuffer.isView(a) && !(a instanceof DataView)) {
    return sameNumbers(a as Uint8Array, b as Uint8Array);
  }
  if (a instanceof WeakMap) throw new TypeError("Cannot compare WeakMap instances");
  if (a instanceof WeakSet) throw new TypeError("Cannot compare WeakSet instances");
  if (a instanceof WeakRef) return same(a.deref(), (b as WeakRef<WeakKey>).deref(), seen);
  if (a instanceof Set) return sameMembers([...a], [...b as Set<unknown>], seen);
  if (a instanceof Map) return sameMembers([...a], [...b as Map<unknown, unknown>], seen);
  return sameKeys(a, b, seen);
}

/** Of any kind of typed array. */
function sameNumbers(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i] && !Object.is(a[i], b[i])) return false;
  return true;
}

function sameMembers(a: unknown[], b: unknown[], seen: Pairs): boolean {
  if (a.length !== b.length) return false;
  const left = new Set(b);
  return a.every((member) => {
    if (left.delete(member)) return true;
    for (const other of left) if (same(member, other, seen)) return left.delete(other);
    return false;
  });
}

function sameKeys(a: object, b: object, seen: Pairs): boolean {
  const keys = Reflect.ownKeys(a);
  return keys.length === Reflect.ownKeys(b).length &&
    keys.every((key) =>
      Object.hasOwn(b, key) && same(Reflect.get(a, key), Reflect.get(b, key), seen)
    );
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function prototypeOf(value: object): object {
  return Object.getPrototypeOf(value) ?? Object.prototype;
}
