/**
 * What the peers of plain Deno have in common.
 *
 * @module
 */

/** Talks to each client that connects, prints the port, and ends the program with the end of input. */
export async function servePlain(talk: (conn: Deno.TcpConn) => Promise<void>): Promise<never> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0, tcpBacklog: 4096 });
  console.log(listener.addr.port);
  accept(listener, talk);
  for await (const _ of Deno.stdin.readable);
  Deno.exit();
}

async function accept(
  listener: Deno.Listener<Deno.TcpConn>,
  talk: (conn: Deno.TcpConn) => Promise<void>,
): Promise<void> {
  for await (const conn of listener) talk(conn).catch(() => {/* The peer is gone. */});
}
