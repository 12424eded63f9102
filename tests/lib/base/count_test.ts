import { assertEquals } from "@std/assert";
import { count } from "../../../lib/base/count.ts";

Deno.test("count() has one thing, and any other number of things", () => {
  assertEquals([0, 1, 2].map((n) => count(n, "line")), ["0 lines", "1 line", "2 lines"]);
});
