import { assertEquals, assertNotEquals } from "@std/assert";
import { echo } from "../../servers/echo.ts";
import { SERVICES } from "../../servers/service.ts";
import type { LogFile } from "../../lib/log/log_file.ts";
import { parseServerLine } from "../../servers/control/config.ts";
import type { Service } from "../../servers/service.ts";

async function open(...args: string[]): Promise<Service> {
  const parsed = parseServerLine(args);
  if ("help" in parsed) throw new Error("Cannot open a service: help was asked for");
  return await SERVICES[parsed.config.name](parsed.config, {} as LogFile, () => {});
}

Deno.test("SERVICES.echo talks in frames, and with --raw in bytes without a goodbye", async () => {
  const framed = await open("echo");
  const raw = await open("echo", "--raw");

  assertEquals([framed.handler, framed.options], [echo, undefined]);
  assertNotEquals(raw.handler, echo);
  assertEquals(raw.options?.goodbye?.("kicked"), undefined);
});
