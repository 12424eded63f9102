import { assertEquals, assertThrows } from "@std/assert";
import { joinHostPort, parseHost, parsePort } from "../../../lib/base/endpoint.ts";

Deno.test("parsePort() takes whole numbers from 1 to 65535", () => {
  for (const [text, port] of [["1", 1], ["9090", 9090], ["65535", 65535], [" 80\t", 80]] as const) {
    assertEquals(parsePort(text), port);
  }
});

const BAD_PORTS = [
  ..."abc 70000 65536 99999999999999999999 -1 +1 -0 00 080 1e3 0x50 9090.5 9090. 9,090 ٩٠٩٠ 9090x"
    .split(" "),
  ...["", "   ", "90 90", "Infinity", "127.0.0.1:80"],
];

Deno.test("parsePort() refuses everything else, and takes 0 only when allowed", () => {
  for (const text of ["0", ...BAD_PORTS]) {
    assertThrows(() => parsePort(text), RangeError, "give a whole number from 1 to 65535");
  }
  assertEquals(parsePort("0", { allowZero: true }), 0);
  assertThrows(() => parsePort("-1", { allowZero: true }), RangeError, "from 0 to 65535");
});

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

const NO_NAMES =
  "0x7f.1 １２７.0.0.1 [127.0.0.1] [localhost] [::1 :::1 fe80::1% fe80::1%eth0%eth1 ::g -1 -a a- a..b .a " +
  "a. a_b user@host host?x host#x a\\b a%41 host, xn--a";

const BAD_HOSTS: Record<string, string[]> = {
  "Cannot use an empty host: give a name": ["", "   "],
  "without http:// and without a path": ["http://localhost", "localhost/echo"],
  "give the port by itself": ["localhost:9090", "127.0.0.1:9090", "[::1]:9090"],
  "four numbers from 0 to 255": "256.1.1.1 1.2.3 1.2.3.4.5 0 70000 127.0.0.01".split(" "),
  "give a name": [
    ...NO_NAMES.split(" "),
    ...["a b", "127.0.0.1x y", "x".repeat(64), Array(5).fill("x".repeat(60)).join(".")],
    `${LONGEST_NAME}y`,
  ],
};

for (const [advice, texts] of Object.entries(BAD_HOSTS)) {
  Deno.test(`parseHost() refuses what is no host: ${advice}`, () => {
    for (const text of texts) assertThrows(() => parseHost(text), TypeError, advice);
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
