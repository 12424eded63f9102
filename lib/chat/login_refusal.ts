/**
 * Why an account or a session was refused.
 *
 * @module
 */
import { MAX_PASSWORD_LENGTH, MIN_PASSWORD_LENGTH } from "./lengths.ts";

/** Why there is no session; the codes are the protocol's. */
export interface Refusal {
  /** What went wrong, for programs. */
  code: "name_taken" | "bad_name" | "weak_password" | "bad_credentials" | "throttled";
  /** What went wrong, for people; it quotes nothing they sent. */
  message: string;
  /** With `throttled`: after how many milliseconds another attempt makes sense. */
  retryAfterMs?: number;
}

/** An account has the name, or one that looks like it. */
export const NAME_TAKEN: Refusal = {
  code: "name_taken",
  message: "This name is taken, or looks like one that is",
};

/** Says the same of an unknown name as of a wrong password. */
export const BAD_CREDENTIALS: Refusal = {
  code: "bad_credentials",
  message: "The name or the password is wrong",
};

/** The password is too short or too long. */
export const WEAK_PASSWORD: Refusal = {
  code: "weak_password",
  message: `A password has ${MIN_PASSWORD_LENGTH} to ${MAX_PASSWORD_LENGTH} characters`,
};

/** Too many attempts, or too many at once: another makes sense after `retryAfterMs`. */
export function throttled(retryAfterMs: number): Refusal {
  return {
    code: "throttled",
    message: "Too many attempts: wait a little",
    retryAfterMs,
  };
}
