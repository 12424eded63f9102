import type { FramedConn } from "../lib/conn/framed_conn.ts";

/** Receives text after text until the peer has finished. What is not a text is answered with the reason. */
export async function* texts(conn: FramedConn): AsyncGenerator<string, void, void> {
  for (;;) {
    try {
      for await (const text of conn) yield text;
      return;
    } catch (error) {
      if (!(error instanceof Deno.errors.InvalidData)) throw error;
      await conn.send(`${error.message}. Send text in UTF-8`);
    }
  }
}
