/**
 * One message on its way to the handlers.
 *
 * @module
 */

import { getLevelName, type LogLevel } from "./levels.ts";

/** What a {@linkcode LogRecord} is made of. */
export interface LogRecordOptions {
  /** The message. */
  msg: string;
  /** What was logged beside the message. */
  args: unknown[];
  /** Its level. */
  level: LogLevel;
  /** The logger's name. */
  loggerName: string;
}

/** One logged message, with the time it was made at. */
export class LogRecord {
  /** The message. */
  readonly msg: string;
  /** Its level. */
  readonly level: number;
  /** The name of its level. */
  readonly levelName: string;
  /** The logger's name. */
  readonly loggerName: string;
  readonly #args: unknown[];
  readonly #at = Date.now();

  /** Makes a record of now. */
  constructor(options: LogRecordOptions) {
    this.msg = options.msg;
    this.level = options.level;
    this.levelName = getLevelName(options.level);
    this.loggerName = options.loggerName;
    this.#args = [...options.args];
  }

  /** A copy of what was logged beside the message. */
  get args(): unknown[] {
    return [...this.#args];
  }

  /** When the record was made; a copy. */
  get datetime(): Date {
    return new Date(this.#at);
  }
}
