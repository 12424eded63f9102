/**
 * How other machines reach the server.
 *
 * @module
 */
import { getNetworkAddress } from "@std/net/get-network-address";
import { joinHostPort } from "../../lib/base/endpoint.ts";
import type { ServerConfig } from "../control/config.ts";

/** Two lines: the address to open, and the command to type. */
export function invitation(
  { name, host, port, cert }: Pick<ServerConfig, "name" | "host" | "port" | "cert">,
  addressOf: typeof getNetworkAddress = getNetworkAddress,
): string {
  const url = `${cert === undefined ? "http" : "https"}://${
    joinHostPort(reachable(host, addressOf), port)
  }/`;
  const program = name === "chat" || name === "auth" ? "chat" : "client";
  return `In a browser: ${url}\nIn a terminal: deno run --allow-net ${url}${program}`;
}

/** Where others reach what listens on `host`. */
function reachable(host: string, addressOf: typeof getNetworkAddress): string {
  if (host !== "0.0.0.0" && host !== "::") return host;
  const address = addressOf("IPv4");
  return address ?? (host === "::" ? addressOf("IPv6") : undefined) ?? "127.0.0.1";
}
