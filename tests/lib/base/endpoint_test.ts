import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { joinHostPort, parseHost, parsePort } from "../../../lib/base/endpoint.ts";

Deno.test("parsePort() takes whole numbers from 1 to 65535", () => {
  for (const [text, port] of [["1", 1], ["9090", 9090], ["65535", 65535], [" 80\t", 80]] as const) {
    assertEquals(parsePort(text), port);
  }
});

Deno.test("parsePort() takes 0 only when allowed", () => {
  assertEquals(parsePort("0", { allowZero: true }), 0);
  assertThrows(() => parsePort("0"), RangeError, "from 1 to 65535");
  assertThrows(() => parsePort("-1", { allowZero: true }), RangeError, "from 0 to 65535");
});

const BAD_PORTS = [
  ..."abc 70000 65536 99999999999999999999 -1 +1 -0 00 080 1e3 0x50 9090.5 9090. 9,090 ٩٠٩٠".split(
    " ",
  ),
  "",
  "   ",
  "9090x",
  "90 90",
  "Infinity",
  "127.0.0.1:80",
];

for (const text of BAD_PORTS) {
  Deno.test(`parsePort() refuses ${JSON.stringify(text)}`, () => {
    assertThrows(() => parsePort(text), RangeError, "give a whole number from 1 to 65535");
  });
}

/** 253 characters. */
const LONGEST_NAME = `${Array(4).fill("x".repeat(61)).join(".")}.${"y".repeat(5)}`;

const HOSTS: [text: string, host: string][] = [
  ["127.0.0.1", "127.0.0.1"],
  [" 0.0.0.0 ", "0.0.0.0"],
  ["255.255.255.255", "255.255.255.255"],
  ["::1", "::1"],
  ["[::1]", "::1"],
  ["::", "::"],
  ["2001:DB8::1", "2001:db8::1"],
  ["::ffff:127.0.0.1", "::ffff:127.0.0.1"],
  ["[FE80::1%Eth0]", "fe80::1%Eth0"],
  ["localhost", "localhost"],
  ["LocalHost", "localhost"],
  ["a", "a"],
  ["abc", "abc"],
  ["pc-17.lab.example", "pc-17.lab.example"],
  ["3com.com", "3com.com"],
  ["1e3", "1e3"],
  ["x".repeat(63), "x".repeat(63)],
  ["münchen.de", "xn--mnchen-3ya.de"],
  ["пример.рф", "xn--e1afmkfd.xn--p1ai"],
  ["例え。jp", "xn--r8jz45g.jp"],
  ["xn--mnchen-3ya.de", "xn--mnchen-3ya.de"],
  [LONGEST_NAME, LONGEST_NAME],
];

for (const [text, host] of HOSTS) {
  Deno.test(`parseHost() takes ${JSON.stringify(text).slice(0, 80)}`, () => {
    assertEquals(parseHost(text), host);
  });
}

const BAD_HOSTS: [text: string, advice: string][] = [
  ["", "Cannot use an empty host: give a name"],
  ["   ", "Cannot use an empty host: give a name"],
  ["a b", "give a name"],
  ["http://localhost", "without http://"],
  ["localhost/echo", "without http:// and without a path"],
  ["localhost:9090", "give the port by itself"],
  ["127.0.0.1:9090", "give the port by itself"],
  ["[::1]:9090", "give the port by itself"],
  ["256.1.1.1", "four numbers from 0 to 255"],
  ["1.2.3", "four numbers from 0 to 255"],
  ["1.2.3.4.5", "four numbers from 0 to 255"],
  ["0", "four numbers from 0 to 255"],
  ["70000", "four numbers from 0 to 255"],
  ["127.0.0.01", "four numbers from 0 to 255"],
  ["0x7f.1", "give a name"],
  ["１２７.0.0.1", "give a name"],
  ["127.0.0.1x y", "give a name"],
  ["[127.0.0.1]", "give a name"],
  ["[localhost]", "give a name"],
  ["[::1", "give a name"],
  [":::1", "give a name"],
  ["fe80::1%", "give a name"],
  ["fe80::1%eth0%eth1", "give a name"],
  ["::g", "give a name"],
  ["-1", "give a name"],
  ["-a", "give a name"],
  ["a-", "give a name"],
  ["a..b", "give a name"],
  [".a", "give a name"],
  ["a.", "give a name"],
  ["a_b", "give a name"],
  ["user@host", "give a name"],
  ["host?x", "give a name"],
  ["host#x", "give a name"],
  ["a\\b", "give a name"],
  ["a%41", "give a name"],
  ["host,", "give a name"],
  ["xn--a", "give a name"],
  ["x".repeat(64), "give a name"],
  [Array(5).fill("x".repeat(60)).join("."), "give a name"],
  [`${Array(4).fill("x".repeat(61)).join(".")}.${"y".repeat(6)}`, "give a name"],
];

for (const [text, advice] of BAD_HOSTS) {
  Deno.test(`parseHost() refuses ${JSON.stringify(text).slice(0, 80)}`, () => {
    const error = assertThrows(() => parseHost(text), TypeError);
    assertStringIncludes(error.message, advice);
  });
}

Deno.test("parseHost() and parsePort() show no control character of what they refuse", () => {
  assertThrows(() => parseHost("a\x1b[2Jb"), TypeError, 'Cannot use "a\\x1b[2Jb" as a host');
  assertThrows(() => parsePort("\x1b[2J"), RangeError, 'Cannot use "\\x1b[2J" as a port');
});

Deno.test("joinHostPort() puts an IPv6 address into brackets", () => {
  assertEquals(joinHostPort("localhost", 80), "localhost:80");
  assertEquals(joinHostPort("::1", 80), "[::1]:80");
  assertEquals(joinHostPort("1:2:3:4:5:6:7:8", 80), "[1:2:3:4:5:6:7:8]:80");
});
