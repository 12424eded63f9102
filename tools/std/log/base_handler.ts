/**
 * What every log handler does: compare levels, format.
 *
 * @module
 */

import { getLevelByName, type LevelName, type LogLevel } from "./levels.ts";
import type { LogRecord } from "./_record.ts";

/** Turns a record into the text to write. */
export type FormatterFunction = (logRecord: LogRecord) => string;

/** Options of a {@linkcode BaseHandler}. */
export interface BaseHandlerOptions {
  /**
   * Turns a record into a line.
   *
   * @default {level name, a space, message}
   */
  formatter?: FormatterFunction;
}

/** Takes records at or above its level; a subclass says in `log` where they go. */
export abstract class BaseHandler {
  readonly #level: LogLevel;

  /** Turns a record into a line. */
  formatter: FormatterFunction;

  /** Makes a handler of the level with that name. */
  constructor(levelName: LevelName, options: BaseHandlerOptions = {}) {
    this.#level = getLevelByName(levelName);
    this.formatter = options.formatter ?? (({ levelName, msg }) => `${levelName} ${msg}`);
  }

  /** Logs the record if its level passes. */
  handle(logRecord: LogRecord): void {
    if (logRecord.level >= this.#level) this.log(this.format(logRecord));
  }

  /** The text for a record. */
  format(logRecord: LogRecord): string {
    return this.formatter(logRecord);
  }

  /** Writes one formatted message. */
  abstract log(msg: string): void;

  /** Acquires what the handler writes to; the owner calls it before the first record. */
  setup(): void {}

  /** Releases what `setup` acquired. */
  destroy(): void {}

  /** Does what `destroy` does, at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.destroy();
  }
}
