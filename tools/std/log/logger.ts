/**
 * The logger, which makes records for its handlers.
 *
 * @module
 */

import { LogRecord } from "./_record.ts";
import type { BaseHandler } from "./base_handler.ts";
import { getLevelByName, type LevelName, type LogLevel, LogLevels } from "./levels.ts";

export { LogRecord, type LogRecordOptions } from "./_record.ts";

/** Any function. */
// deno-lint-ignore no-explicit-any
export type GenericFunction = (...args: any[]) => any;

/** Options of a {@linkcode Logger}. */
export interface LoggerOptions {
  /**
   * Where its records go.
   *
   * @default {[]}
   */
  handlers?: BaseHandler[];
}

type Message<T> = (T extends GenericFunction ? never : T) | (() => T);

/**
 * Makes records and hands them to its handlers.
 *
 * Each method returns the message it was given. A function instead of a message is called only when the level passes, and
 * then its result is logged and returned; otherwise `undefined` is.
 */
export class Logger {
  readonly #loggerName: string;
  readonly #level: LogLevel;

  /** Where its records go. */
  handlers: BaseHandler[];

  /** Makes a logger of the level with that name. */
  constructor(loggerName: string, levelName: LevelName, options: LoggerOptions = {}) {
    this.#loggerName = loggerName;
    this.#level = getLevelByName(levelName);
    this.handlers = options.handlers ?? [];
  }

  /** The logger's name. */
  get loggerName(): string {
    return this.#loggerName;
  }

  /** Logs the result of a function, called only if the level passes, about the normal course of events. */
  info<T>(msg: () => T, ...args: unknown[]): T | undefined;
  /** Logs the normal course of events. */
  info<T>(msg: T extends GenericFunction ? never : T, ...args: unknown[]): T;
  info<T>(msg: Message<T>, ...args: unknown[]): T | undefined {
    return this.#log(LogLevels.INFO, msg, args);
  }

  /** Logs the result of a function, called only if the level passes, about something that may become a fault. */
  warn<T>(msg: () => T, ...args: unknown[]): T | undefined;
  /** Logs what may become a fault. */
  warn<T>(msg: T extends GenericFunction ? never : T, ...args: unknown[]): T;
  warn<T>(msg: Message<T>, ...args: unknown[]): T | undefined {
    return this.#log(LogLevels.WARN, msg, args);
  }

  /** Logs the result of a function, called only if the level passes, about a fault. */
  error<T>(msg: () => T, ...args: unknown[]): T | undefined;
  /** Logs a fault. */
  error<T>(msg: T extends GenericFunction ? never : T, ...args: unknown[]): T;
  error<T>(msg: Message<T>, ...args: unknown[]): T | undefined {
    return this.#log(LogLevels.ERROR, msg, args);
  }

  #log<T>(level: LogLevel, msg: Message<T>, args: unknown[]): T | undefined {
    const passes = level >= this.#level;
    if (msg instanceof Function && !passes) return undefined;
    const value = msg instanceof Function ? msg() : msg;
    if (passes) {
      const { loggerName } = this;
      const record = new LogRecord({ msg: textOf(value), args, level, loggerName });
      for (const handler of this.handlers) handler.handle(record);
    }
    return value;
  }
}

/** Texts stay as they are, errors give their stack, objects become something like JSON. */
function textOf(value: unknown): string {
  if (value instanceof Error) return value.stack ?? value.message;
  if (typeof value === "function") return "undefined";
  if (typeof value !== "object" || value === null) return String(value);
  const fields = Object.entries(value).map(([key, field]) =>
    `"${key}":${typeof field === "string" ? `"${field}"` : textOf(field)}`
  );
  return `{${fields.join(",")}}`;
}
