import { assertEquals } from "@std/assert";
import { isLoopback, networkOf, normalizeAddress } from "../../../lib/base/address.ts";

const SPELLINGS: Record<string, string[]> = {
  "1.2.3.4": ["1.2.3.4", "::ffff:1.2.3.4", "::FFFF:1.2.3.4", "::ffff:102:304", "[::ffff:1.2.3.4]"],
  "0.0.0.0": ["0:0:0:0:0:ffff:0:0"],
  "255.255.255.255": ["::ffff:ffff:ffff"],
  "::1": ["::1", "0:0:0:0:0:0:0:1", "[::1]", "0000:0000:0000:0000:0000:0000:0000:0001"],
  "fe80::1": ["fe80::1%eth0", "FE80:0:0:0:0:0:0:1%1", "fe80::0001"],
  "2001:db8::a:0:0:1": ["2001:DB8:0:0:A:0:0:1"],
};

for (const [normal, spellings] of Object.entries(SPELLINGS)) {
  Deno.test(`normalizeAddress() brings every spelling of ${normal} to one`, () => {
    for (const spelling of spellings) assertEquals(normalizeAddress(spelling), normal);
  });
}

Deno.test("normalizeAddress() gives back what is no address", () => {
  for (const text of ["", "localhost", "a:b", "::ffff:1.2.3.4.5", "/run/socket", "__proto__"]) {
    assertEquals(normalizeAddress(text), text);
  }
});

Deno.test("isLoopback() knows this machine's own addresses, and no name that only looks like one", () => {
  for (const own of ["127.0.0.1", "127.1.2.3", "::1", "[::1]", "::ffff:127.0.0.1", "localhost"]) {
    assertEquals(isLoopback(own), true, own);
  }
  for (const other of ["0.0.0.0", "::", "10.0.0.1", "127.0.0.1.example.org", "1.127.0.0", ""]) {
    assertEquals(isLoopback(other), false, other);
  }
});

Deno.test("networkOf() is one for the addresses of an IPv6 network, and the address itself of IPv4", () => {
  const networks = {
    "10.0.0.1": "10.0.0.1",
    "::1": "0:0:0:0::/64",
    "::": "0:0:0:0::/64",
    "2001:db8::1": "2001:db8:0:0::/64",
    "2001:db8:0:1::": "2001:db8:0:1::/64",
    "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64",
    "2001:0:0:1::2": "2001:0:0:1::/64",
    "2001::1:2:3:4:5": "2001:0:0:1::/64",
    "fe80::1": "fe80:0:0:0::/64",
  };

  for (const [address, network] of Object.entries(networks)) {
    assertEquals(networkOf(normalizeAddress(address)), network);
  }
});
