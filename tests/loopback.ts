/**
 * Real TCP connections inside this machine.
 *
 * @module
 */

/** Makes the two ends of a TCP connection: first the one that connected, then the one that was accepted. */
export async function tcpPair(): Promise<[Deno.TcpConn, Deno.TcpConn]> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return await Promise.all([
    Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port }),
    listener.accept(),
  ]);
}
