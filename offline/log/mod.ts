/**
 * The part of `@std/log` that the log files use: loggers, records, levels and file handlers.
 *
 * @module
 */

export * from "./base_handler.ts";
export * from "./file_handler.ts";
export * from "./levels.ts";
export * from "./logger.ts";
export * from "./rotating_file_handler.ts";
