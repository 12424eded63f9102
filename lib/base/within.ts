/**
 * Promises: waiting for one, for a limited time.
 *
 * @module
 */
import { checkSignal } from "./checks.ts";
import { timerDelay } from "./numbers.ts";

/** Waits for a promise, or until a signal aborts: then it rejects with the signal's reason. */
export function unlessAborted<T>(promise: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    const settled = () => signal.removeEventListener("abort", abort);
    signal.addEventListener("abort", abort);
    promise.then(resolve, reject).finally(settled);
    if (signal.aborted) abort();
  });
}

/**
 * Makes a call, and waits until it settles or the signal aborts; then it rejects with the signal's reason, and what the
 * call has begun continues. Where the signal has aborted before, the call is not made.
 */
export function abortable<T>(signal: AbortSignal | undefined, call: () => Promise<T>): Promise<T> {
  if (!signal) return call();
  return quiet(refusedBy(signal) ?? unlessAborted(call(), signal));
}

/** Rejects with the reason of a signal that has aborted, or says that it is not a signal; otherwise gives `undefined`. */
export function refusedBy(signal: AbortSignal | undefined): Promise<never> | undefined {
  if (!signal) return undefined;
  try {
    checkSignal("wait", signal);
    signal.throwIfAborted();
    return undefined;
  } catch (error) {
    return Promise.reject(error);
  }
}

/**
 * Returns whether a promise is fulfilled within so many milliseconds; it rejects as the promise does.
 *
 * Each call leaves a reaction on the promise until that settles: not for a loop over one long-lived promise.
 */
export function within(ms: number, promise: Promise<unknown>): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, timerDelay(ms), false);
    promise.then(() => resolve(true), reject).finally(() => clearTimeout(timer));
  });
}

/** Waits so many milliseconds, or until a signal aborts: then it rejects with the signal's reason, and leaves no timer. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, timerDelay(ms));
  return unlessAborted(promise, signal).finally(() => clearTimeout(timer));
}

/** Returns the promise; if it rejects where nothing handles it, that is not reported as an unhandled rejection. */
export function quiet<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}
