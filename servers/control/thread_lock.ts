/**
 * How one thread sees that another is gone: a Worker that closes itself raises no event, but its locks are released.
 *
 * @module
 */

/** The part of the Web Locks API that is used; the default library does not know it. */
interface Locks {
  request(
    name: string,
    options: { signal?: AbortSignal },
    callback: () => void | Promise<never>,
  ): Promise<void>;
}

/** Holds a lock for as long as this thread lives. */
export function holdForLife(name: string): void {
  locks().request(name, {}, () => new Promise<never>(() => {}));
}

/**
 * Waits until the thread that holds a lock is gone.
 *
 * @throws {DOMException} If `signal` aborts before.
 */
export function whenReleased(name: string, signal: AbortSignal): Promise<void> {
  return locks().request(name, { signal }, () => {});
}

/** Asked for where they are used: to load them takes Deno a while. */
function locks(): Locks {
  return (navigator as unknown as { locks: Locks }).locks;
}
