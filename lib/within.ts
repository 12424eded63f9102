/**
 * Waiting for something, but not for ever.
 *
 * @module
 */

/** Tells whether a promise is fulfilled within so many milliseconds; it rejects as the promise does. */
export async function within(ms: number, promise: Promise<unknown>): Promise<boolean> {
  const late = Promise.withResolvers<false>();
  const timer = setTimeout(late.resolve, ms, false);
  try {
    return await Promise.race([promise.then(() => true), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
