/**
 * A program that floods a chat server with many connections at once, until its standard input ends. They come from
 * addresses of this machine other than 127.0.0.1, so many from each as a server lets in.
 *
 * Its arguments: the port, the kind of flood, how many connections, and tokens of members, which they share.
 *
 * @module
 */
import { connect, type Socket } from "node:net";
import { Buffer } from "node:buffer";
import { encodeFrame } from "../../lib/frame.ts";

/** What one connection does, from when it stands. */
interface Flood {
  /** What it says, again and again. */
  message(): object | string;
  /** Comes in by a token first. */
  isMember?: boolean;
  /** Says the next only when this stands in an answer; else it does not wait for any. */
  awaits?: string;
  /** Leaves after the first answer, and connects again. */
  leaves?: boolean;
}

const HELLO = { type: "hello", version: 1 };
// So much of each connection does not wait for answers: thousands of messages a second, and yet not so much that what
// waits in the system's buffers exhausts the machine.
const CHUNK_BYTES = 2048;
const BYTES_PER_MS = 100;
const CONNECTIONS_PER_ADDRESS = 30;
let count = 0;

const FLOODS: Record<string, Flood> = {
  "strangers in ping-pong": { message: () => HELLO, awaits: '"hello"' },
  "strangers flooding": { message: () => HELLO },
  "strangers with junk": { message: () => "x".repeat(4000) },
  "strangers that come and go": { message: () => HELLO, awaits: '"hello"', leaves: true },
  "members in ping-pong": { message: () => ({ type: "ping" }), isMember: true, awaits: '"pong"' },
  "members flooding": { message: () => ({ type: "ping" }), isMember: true },
  "members with junk": { message: () => "x".repeat(16_000), isMember: true },
  "members talking without end": {
    message: () => ({ type: "say", ref: `${++count}`, text: `flood ${count}` }),
    isMember: true,
  },
  "members reading the history": {
    message: () => ({ type: "history", limit: 200 }),
    isMember: true,
  },
  "members that come and go": {
    message: () => ({ type: "ping" }),
    isMember: true,
    awaits: '"pong"',
    leaves: true,
  },
  "guesses at passwords": {
    message: () => ({ type: "login", name: `nobody_${++count}`, password: "a wrong one" }),
    awaits: '"error"',
  },
  "registrations": {
    message: () => ({ type: "register", name: `flood_${++count}`, password: "a password" }),
    awaits: '"e',
    leaves: true,
  },
};

function frameOf(message: object | string): Uint8Array {
  return encodeFrame(typeof message === "string" ? message : JSON.stringify(message));
}

class FloodConnection {
  readonly #to: { host: string; port: number; localAddress: string };
  readonly #flood: Flood;
  readonly #hello: Uint8Array;
  readonly #onBegun: () => void;
  readonly #awaited: string | undefined;

  constructor(index: number, port: number, flood: Flood, onBegun: () => void) {
    const address = 2 + Math.floor(index / CONNECTIONS_PER_ADDRESS);
    this.#to = { host: "127.0.0.1", port, localAddress: `127.0.0.${address}` };
    this.#flood = flood;
    this.#awaited = flood.awaits;
    const token = tokens[index % tokens.length];
    this.#hello = frameOf({ ...HELLO, ...(flood.isMember && { token, history: 0 }) });
    this.#onBegun = onBegun;
  }

  /** Connects, now and whenever the server ends the connection. */
  run(): void {
    const socket = connect({ ...this.#to, noDelay: true });
    // The end tells the same, and comes after it.
    socket.on("error", () => {});
    socket.on("close", () => setTimeout(() => this.run()));
    const until = this.#flood.isMember ? '"welcome"' : '"hello"';
    const wait = (chunk: Buffer) => {
      if (!chunk.includes(until)) return;
      socket.off("data", wait);
      this.#onBegun();
      this.#talk(socket);
    };
    socket.on("data", wait);
    socket.write(this.#hello);
  }

  #talk(socket: Socket): void {
    if (this.#awaited === undefined) {
      socket.resume();
      return this.#pour(socket);
    }
    socket.on("data", (chunk: Buffer) => {
      if (!chunk.includes(this.#awaited!)) return;
      if (this.#flood.leaves) socket.destroy();
      else this.#say(socket);
    });
    this.#say(socket);
  }

  #say(socket: Socket): void {
    socket.write(frameOf(this.#flood.message()));
  }

  #pour(socket: Socket): void {
    const frames: Uint8Array[] = [];
    let bytes = 0;
    for (; bytes < CHUNK_BYTES; bytes += frames.at(-1)!.length) {
      frames.push(frameOf(this.#flood.message()));
    }
    const pourOn = () => setTimeout(() => this.#pour(socket), bytes / BYTES_PER_MS);
    socket.write(Buffer.concat(frames), (error) => error ?? pourOn());
  }
}

const [port, kind, connections, ...tokens] = Deno.args;
let left = Number(connections);
const begun = () => --left === 0 && console.log("flooding");
for (let i = 0; i < Number(connections); i++) {
  new FloodConnection(i, Number(port), FLOODS[kind!]!, begun).run();
}
for await (const _ of Deno.stdin.readable);
Deno.exit();
