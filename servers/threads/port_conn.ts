/**
 * A connection whose socket is in another thread.
 *
 * @module
 */
import { MemoryConn } from "../../lib/conn/memory_conn.ts";
import type { PortPipe } from "./port_pipe.ts";

/** Options for {@linkcode PortConn}: what the socket knows. */
export interface PortConnOptions {
  /** The address of this end. */
  localAddr: Deno.NetAddr;
  /** The address of the peer. */
  remoteAddr: Deno.NetAddr;
}

/**
 * A `Deno.Conn` that reads and writes through a message port: `FramedConn` and a handler cannot tell it from a socket.
 *
 * A thread cannot be given a socket, but it can be given a port. At the other end of the port `pumpIn` and `pumpOut`
 * move the bytes between it and the socket. The end of one direction, the close of both, and a lost connection pass
 * the port too; a `write` takes everything it is given, or waits.
 */
export class PortConn extends MemoryConn {
  /** Reads and writes through `pipe`, and owns it. */
  constructor(pipe: PortPipe, { localAddr, remoteAddr }: PortConnOptions) {
    super(pipe, pipe, localAddr, remoteAddr);
  }
}
