import { assertLess } from "@std/assert";
import type { Socket } from "node:net";
import { FaultLink } from "../../../lib/faults/fault_link.ts";
import { FaultStream } from "../../../lib/faults/fault_stream.ts";
import { turns } from "../../support/turns.ts";

Deno.test("FaultLink reads no more small chunks than it may hold while a delay holds them back", async () => {
  let read = 0;
  async function* iterator() {
    for (; read < 100_000; read++) yield await Promise.resolve(Uint8Array.of(1));
  }
  const stream = new FaultStream({ delayMs: 60_000 });
  const source = { iterator } as unknown as Socket;
  const link = new FaultLink(source, { end: () => {} } as unknown as Socket, stream, () => {});

  const ended = link.run();
  await turns(50);
  link.stop();
  await ended;

  assertLess(read, 5_000);
});
