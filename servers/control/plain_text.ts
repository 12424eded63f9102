/**
 * The warning about passwords that anybody on the network could read.
 *
 * @module
 */
import { isLoopback } from "../../lib/base/address.ts";
import type { ServerConfig } from "./config.ts";

const WITH_PASSWORDS = ["auth", "chat"];

/** What to tell the operator of a server that takes passwords from other machines without TLS. */
export function plainTextWarning({ name, host, cert }: ServerConfig): string | undefined {
  if (!WITH_PASSWORDS.includes(name) || cert !== undefined || isLoopback(host)) return undefined;
  return "Passwords cross the network in clear. Give --cert and --key (deno task cert makes them)";
}
