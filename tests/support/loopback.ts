/**
 * Real TCP connections inside this machine.
 *
 * @module
 */
import { connect } from "node:net";

/** Makes the two ends of a TCP connection: first the one that connected, then the one that was accepted. */
export async function tcpPair(): Promise<[Deno.TcpConn, Deno.TcpConn]> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return await Promise.all([
    Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port }),
    listener.accept(),
  ]);
}

/** Connects to a port, and returns what resets the connection: how a crash looks from the other end. */
export async function connectToReset(port: number): Promise<() => void> {
  const socket = connect({ host: "127.0.0.1", port });
  await new Promise((resolve) => socket.once("connect", resolve));
  return () => void socket.resetAndDestroy();
}
