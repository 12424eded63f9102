/**
 * What every log handler does: compare levels, format.
 *
 * @module
 */

import { getLevelByName, getLevelName, type LevelName, type LogLevel } from "./levels.ts";
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
  #level: LogLevel;

  /** Turns a record into a line. */
  formatter: FormatterFunction;

  /** Makes a handler of the level with that name. */
  constructor(levelName: LevelName, options: BaseHandlerOptions = {}) {
    this.#level = getLevelByName(levelName);
    this.formatter = options.formatter ?? (({ levelName, msg }) => `${levelName} ${msg}`);
  }

  /** The lowest level that passes. */
  get level(): LogLevel {
    return this.#level;
  }

  /** Lets pass what is at or above this level from now on. */
  set level(level: LogLevel) {
    getLevelName(level); // throws for a number that is no level
    this.#level = level;
  }

  /** The name of the lowest level that passes. */
  get levelName(): LevelName {
    return getLevelName(this.#level);
  }

  /** Lets pass what is at or above the level with this name from now on. */
  set levelName(levelName: LevelName) {
    this.#level = getLevelByName(levelName);
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
