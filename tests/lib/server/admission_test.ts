import { assertEquals } from "@std/assert";
import { stub } from "@std/testing/mock";
import { Admission } from "../../../lib/server/admission.ts";

Deno.test("Admission.enter() refuses above maxConnections, until somebody leaves", () => {
  const admission = new Admission({ maxConnections: 2 });

  const answers = ["a", "b", "c"].map((address) => admission.enter(address));
  admission.leave("a");

  assertEquals(answers, [undefined, undefined, "full"]);
  assertEquals(admission.enter("c"), undefined);
  assertEquals(admission.enter("d"), "full");
});

Deno.test("Admission.enter() refuses above maxPerAddress, other addresses not", () => {
  const admission = new Admission({ maxPerAddress: 2 });

  const answers = ["a", "a", "a", "b"].map((address) => admission.enter(address));
  admission.leave("a");

  assertEquals(answers, [undefined, undefined, "crowded", undefined]);
  assertEquals(admission.enter("a"), undefined);
  assertEquals(admission.enter("a"), "crowded");
});

Deno.test("Admission.enter() takes no place for whom it refuses", () => {
  const admission = new Admission({ maxConnections: 2, maxPerAddress: 1 });

  admission.enter("a");
  admission.enter("a");

  assertEquals(admission.enter("b"), undefined);
});

Deno.test("Admission.enter() lets in 10,000 by default, all of them from one address", () => {
  const admission = new Admission();

  for (let i = 0; i < 10_000; i++) assertEquals(admission.enter("a"), undefined);

  assertEquals(admission.enter("a"), "full");
});

for (const none of [0, Infinity]) {
  Deno.test(`Admission.enter() takes ${none} for no limit`, () => {
    const admission = new Admission({ maxConnections: none, maxPerAddress: none });

    for (let i = 0; i < 10_001; i++) assertEquals(admission.enter("a"), undefined);
  });
}

Deno.test("Admission.enter() limits how often an address may come and go", () => {
  let now = 0;
  using _clock = stub(performance, "now", () => now);
  const admission = new Admission({ maxPerAddress: 3 });
  const come = (address: string) => {
    const refusal = admission.enter(address);
    if (refusal === undefined) admission.leave(address);
    return refusal;
  };

  const atOnce = Array.from({ length: 7 }, () => come("a"));
  now += 1000;
  const later = Array.from({ length: 4 }, () => come("a"));

  assertEquals(atOnce.filter((refusal) => refusal === undefined).length, 6);
  assertEquals(later, [undefined, undefined, undefined, "crowded"]);
  assertEquals(come("b"), undefined);
});

Deno.test("Admission.enter() counts the addresses of one IPv6 network as one", () => {
  const admission = new Admission({ maxPerAddress: 2 });

  const answers = ["2001:db8::1", "2001:db8::2", "2001:db8:0:0:ffff::", "2001:db8:0:1::1"]
    .map((address) => admission.enter(address));
  admission.leave("2001:db8::2");

  assertEquals(answers, [undefined, undefined, "crowded", undefined]);
  assertEquals(admission.enter("2001:db8::abcd"), undefined);
});
