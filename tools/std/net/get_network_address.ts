/**
 * The address under which others on the local network reach this machine.
 *
 * @module
 */

/**
 * Finds the first address of the family that leads out of this machine; `undefined` when there is none.
 *
 * Needs `--allow-sys=networkInterfaces`.
 */
export function getNetworkAddress(
  family: Deno.NetworkInterfaceInfo["family"] = "IPv4",
): string | undefined {
  return Deno.networkInterfaces()
    .find((network) =>
      network.family === family && network.mac !== "00:00:00:00:00:00" && leadsOut(network)
    )
    ?.address;
}

function leadsOut({ family, address, scopeid }: Deno.NetworkInterfaceInfo): boolean {
  if (family === "IPv4") return !address.startsWith("127");
  return address !== "::1" && address !== "fe80::1" && scopeid === 0;
}
