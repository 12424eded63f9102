/**
 * What code may throw although it is no error.
 *
 * @module
 */

/** Values that cannot be made a text in the usual way, by what they are. */
export const ODD_VALUES: Record<string, unknown> = {
  "nothing": undefined,
  "an object without a prototype": Object.create(null),
  "a symbol": Symbol("odd"),
  "an object that refuses": {
    toString() {
      throw new Error("no text");
    },
  },
  "a proxy that was revoked": revoked(),
  "an error with a number as its message": Object.assign(new Error(), { message: 7, stack: 7 }),
};

function revoked(): unknown {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}
