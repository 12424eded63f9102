/**
 * One connection through the fault proxy: two sockets, and a link for each direction.
 *
 * @module
 */

import type { Socket } from "node:net";
import { FaultLink, type LinkEvent } from "./fault_link.ts";
import { FaultStream } from "./fault_stream.ts";
import type { Faults } from "./fault_options.ts";

/** Which way bytes go: `up` from the client to the server, `down` from the server to the client. */
export type FaultDirection = "up" | "down";

/**
 * Why a connection ended: both sides had finished, a cut by a fault or by command, a reset by a
 * fault or by one of the sides, a server that does not answer, or the end of the proxy.
 */
export type FaultEndReason = "finished" | "close" | "reset" | "unreachable" | "stopped";

/** Carries one client's connection. It owns both sockets. */
export class FaultConnection {
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #links: Record<FaultDirection, FaultLink>;
  #reason: FaultEndReason | undefined;

  /** Begins to connect to the server. The faults follow from the seeds. */
  constructor(
    client: Socket,
    to: { hostname?: string; port: number },
    faults: Record<FaultDirection, Faults>,
    seeds: number[],
    onEvent: (event: LinkEvent & { direction: FaultDirection }) => void,
  ) {
    this.#client = client;
    const { hostname: host = "127.0.0.1", port } = to;
    const server = this.#server = nodeNet().connect({ host, port, ...SOCKET_OPTIONS });
    // A link learns of a reset from its reading; without a listener the event would end the process.
    for (const socket of [client, server]) socket.on("error", () => {});
    const link = (direction: FaultDirection, seed: number, from: Socket, to: Socket) =>
      new FaultLink(
        from,
        to,
        new FaultStream(faults[direction], ...seeds, seed),
        (event) => onEvent({ ...event, direction }),
      );
    this.#links = { up: link("up", 1, client, server), down: link("down", 2, server, client) };
  }

  /** Runs the connection, once, until both sockets are closed. Never rejects. */
  async run(): Promise<FaultEndReason> {
    const closed = Promise.all([closing(this.#client), closing(this.#server)]);
    if (await connecting(this.#server)) {
      await Promise.all([this.#run(this.#links.up), this.#run(this.#links.down)]);
      this.end("finished");
    } else {
      this.end("unreachable");
    }
    await closed;
    return this.#reason!;
  }

  /** Changes the faults from the next byte on. */
  set(faults: Record<FaultDirection, Faults>): void {
    this.#links.up.faults = faults.up;
    this.#links.down.faults = faults.down;
  }

  async #run(link: FaultLink): Promise<void> {
    const end = await link.run();
    if (end === "close" || end === "reset") this.end(end);
  }

  /** Ends the connection now; a second time only if the proxy stops. */
  end(reason: FaultEndReason): void {
    // The end of the proxy does not wait for what an earlier end still waits for.
    const sockets = [this.#client, this.#server];
    if (reason === "stopped") sockets.forEach((socket) => socket.destroy());
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    this.#links.up.stop();
    this.#links.down.stop();
    for (const socket of sockets) {
      if (reason === "reset" || reason === "unreachable") reset(socket);
      // A peer that does not read what is still queued must not keep the socket open.
      else if (socket.writableLength > 0) socket.destroy();
      else socket.destroySoon();
    }
  }
}

/** What both sockets of a connection need. */
export const SOCKET_OPTIONS = { allowHalfOpen: true, noDelay: true };

/**
 * The module `node:net`. Its sockets can reset a connection; a `Deno.Conn` always ends it in order.
 *
 * It is loaded where it is used: imported, it would cost every start of every program about 20 ms.
 */
export function nodeNet(): typeof import("node:net") {
  return globalThis.process.getBuiltinModule("node:net");
}

function connecting(socket: Socket): Promise<boolean> {
  return new Promise((resolve) => {
    socket.once("connect", () => resolve(true));
    socket.once("close", () => resolve(false));
  });
}

/** A reset while it connects would turn out an orderly end, so the socket connects first. */
function reset(socket: Socket): void {
  if (socket.connecting) socket.once("connect", () => socket.resetAndDestroy());
  else socket.resetAndDestroy();
}

function closing(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.destroyed ? resolve() : socket.once("close", resolve));
}
