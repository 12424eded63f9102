// TEMPORARY
import { startFront } from "/tmp/page-scratch/front.ts";
export function urlOf(tcpPort: number) {
  const front = startFront(tcpPort);
  return {
    url: `http://127.0.0.1:${front.addr.port}/`,
    async [Symbol.asyncDispose]() {
      await front.shutdown();
    },
  };
}
export function hostileFront(answer: (message: Record<string, unknown>) => unknown[]) {
  const listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const conns = new Set<FramedConn>();
  (async () => {
    for await (const c of listener) {
      const conn = new FramedConn(c);
      conns.add(conn);
      (async () => {
        for await (const t of conn) {
          for (const m of answer(JSON.parse(t))) {
            await conn.send(typeof m === "string" ? m : JSON.stringify(m));
          }
        }
      })().catch(() => {});
    }
  })().catch(() => {});
  const front = startFront(listener.addr.port);
  return {
    url: `http://127.0.0.1:${front.addr.port}/`,
    async [Symbol.asyncDispose]() {
      listener.close();
      await front.shutdown();
      for (const c of conns) c.close();
    },
  };
}
import { FramedConn } from "../../../lib/conn/framed_conn.ts";
