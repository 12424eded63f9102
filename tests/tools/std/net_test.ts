import { assertEquals } from "@std/assert";
import * as std from "@std/net/get-network-address";
import { stub } from "@std/testing/mock";
import * as offline from "../../../tools/std/net/get_network_address.ts";

const network = (address: string, more: Partial<Deno.NetworkInterfaceInfo> = {}) =>
  ({
    family: "IPv4",
    mac: "02:00:00:00:00:01",
    address,
    scopeid: null,
    ...more,
  }) as Deno.NetworkInterfaceInfo;

for (const [source, { getNetworkAddress }] of Object.entries({ std, offline })) {
  Deno.test(`${source}: getNetworkAddress() finds the first that leads out`, () => {
    using _interfaces = stub(Deno, "networkInterfaces", () => [
      network("127.0.0.1"),
      network("10.0.0.1", { mac: "00:00:00:00:00:00" }),
      network("fe80::1", { family: "IPv6", scopeid: 0 }),
      network("fe80::2", { family: "IPv6", scopeid: 3 }),
      network("2001:db8::1", { family: "IPv6", scopeid: 0 }),
      network("192.0.2.7"),
      network("192.0.2.8"),
    ]);
    assertEquals(getNetworkAddress(), "192.0.2.7");
    assertEquals(getNetworkAddress("IPv6"), "2001:db8::1");
  });

  Deno.test(`${source}: getNetworkAddress() is undefined without a network`, () => {
    using _interfaces = stub(Deno, "networkInterfaces", () => [network("127.0.0.1")]);
    assertEquals(getNetworkAddress(), undefined);
  });
}
