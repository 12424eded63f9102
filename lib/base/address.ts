/**
 * IP addresses that can be compared.
 *
 * @module
 */

/**
 * Normalizes an IP address, so that it can be compared and stored.
 *
 * An IPv4 address that arrived through an IPv6 socket (`::ffff:1.2.3.4`) becomes the IPv4 address; any other IPv6 address
 * becomes its shortest form in lower case, without the zone (`%eth0`), which names an interface of this machine. Text
 * that is no IPv6 address is returned unchanged.
 *
 * @param address As in `remoteAddr.hostname`.
 */
export function normalizeAddress(address: string): string {
  if (!address.includes(":")) return address;
  const url = URL.parse(`http://[${address.replace(/^\[|\]$|%.*$/g, "")}]`);
  if (url === null) return address;
  const short = url.hostname.slice(1, -1);
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(short);
  if (mapped === null) return short;
  const [high, low] = mapped.slice(1).map((group) => parseInt(group, 16)) as [number, number];
  return [high >> 8, high & 255, low >> 8, low & 255].join(".");
}

/**
 * Returns the network that one customer usually gets as a whole: of IPv6 the first 64 bits; of IPv4 the address itself.
 *
 * @param address As {@linkcode normalizeAddress} returns it.
 */
export function networkOf(address: string): string {
  if (!address.includes(":")) return address;
  const [head = [], tail = []] = address.split("::").map((part) => part.split(":").filter(Boolean));
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => "0");
  return `${[...head, ...zeros, ...tail].slice(0, 4).join(":")}::/64`;
}

/** Whether an address or host name means this machine itself, so that traffic to it cannot be read on a network. */
export function isLoopback(host: string): boolean {
  const address = normalizeAddress(host);
  return address === "localhost" || address === "::1" || /^127\.\d+\.\d+\.\d+$/.test(address);
}
