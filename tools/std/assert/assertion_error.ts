/**
 * The error of a failed assertion.
 *
 * @module
 */

/** Says which assertion failed and how. */
export class AssertionError extends Error {
  /** Makes the error with its message and, in the options, its cause. */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "AssertionError";
  }
}
