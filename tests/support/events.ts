/**
 * What a server tells, for tests that wait for events instead of times.
 *
 * @module
 */
import type { ServerEvent } from "../../lib/server/server_events.ts";

type EventOf<T extends ServerEvent["type"]> = ServerEvent & { type: T };

/** Collects events. Give its `take` to a server as `onEvent`. */
export class Events {
  /** Everything that was told so far. */
  readonly all: ServerEvent[] = [];
  readonly #unclaimed: ServerEvent[] = [];
  #wake: PromiseWithResolvers<void> = Promise.withResolvers();

  /** Takes an event. */
  readonly take = (event: ServerEvent): void => {
    this.all.push(event);
    this.#unclaimed.push(event);
    this.#wake.resolve();
    this.#wake = Promise.withResolvers();
  };

  /** Waits for an event of a type. Each event is handed out once, in order. */
  async next<T extends ServerEvent["type"]>(type: T): Promise<EventOf<T>> {
    for (;;) {
      const at = this.#unclaimed.findIndex((event) => event.type === type);
      if (at >= 0) return this.#unclaimed.splice(at, 1)[0] as EventOf<T>;
      await this.#wake.promise;
    }
  }

  /** The types of what was told so far. */
  types(): ServerEvent["type"][] {
    return this.all.map((event) => event.type);
  }

  /** How many events of a type were told so far. */
  count(type: ServerEvent["type"]): number {
    return this.types().filter((told) => told === type).length;
  }
}
