/**
 * A program that floods a chat server with many connections at once, until its standard input ends. They come from
 * addresses of this machine other than 127.0.0.1, so many from each as a server lets in.
 *
 * Its arguments: the port, the kind of flood, how many connections, and tokens of members, which they share. It prints
 * a line when all of them flood, and at the end, as JSON, how much each that still stands was answered.
 *
 * @module
 */
import { connect, type Socket } from "node:net";
import { Buffer } from "node:buffer";
import { encodeFrame } from "../../../lib/frame/frame.ts";

/** What one connection does, from when it stands. */
interface Flood {
  /** What it says, again and again. */
  message(): object | string;
  /** Comes in by a token first. */
  isMember?: boolean;
  /** What stands in an answer. */
  answer?: string;
  /** Says the next only when it has the answer. */
  waits?: boolean;
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
  "unauthenticated, ping-pong": { message: () => HELLO, answer: '"hello"', waits: true },
  "unauthenticated, flooding": { message: () => HELLO, answer: '"hello"' },
  "unauthenticated, junk": { message: () => "x".repeat(4000) },
  "unauthenticated, reconnecting": {
    message: () => HELLO,
    answer: '"hello"',
    waits: true,
    leaves: true,
  },
  "members in ping-pong": {
    message: () => ({ type: "ping" }),
    isMember: true,
    answer: '"pong"',
    waits: true,
  },
  "members flooding": { message: () => ({ type: "ping" }), isMember: true, answer: '"pong"' },
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
    answer: '"pong"',
    waits: true,
    leaves: true,
  },
  "guesses at passwords": {
    message: () => ({ type: "login", name: `nobody_${++count}`, password: "a wrong one" }),
    answer: '"error"',
    waits: true,
  },
  "registrations": {
    message: () => ({ type: "register", name: `flood_${++count}`, password: "a password" }),
    answer: '"e',
    waits: true,
    leaves: true,
  },
};

function frameOf(message: object | string): Uint8Array {
  return encodeFrame(typeof message === "string" ? message : JSON.stringify(message));
}

/** How much one connection was answered, for the test. */
export interface Answered {
  /** How many answers came. */
  answers: number;
  /** For how long it has stood, in seconds. */
  seconds: number;
}

class FloodConnection {
  readonly #to: { host: string; port: number; localAddress: string };
  readonly #flood: Flood;
  readonly #hello: Uint8Array;
  readonly #onBegun: () => void;
  #beganAt = 0;
  #talks = false;
  #answers = 0;

  constructor(index: number, port: number, flood: Flood, onBegun: () => void) {
    const address = 2 + Math.floor(index / CONNECTIONS_PER_ADDRESS);
    this.#to = { host: "127.0.0.1", port, localAddress: `127.0.0.${address}` };
    this.#flood = flood;
    const token = tokens[index % tokens.length];
    this.#hello = frameOf({ ...HELLO, ...(flood.isMember && { token, history: 0 }) });
    this.#onBegun = onBegun;
  }

  get answered(): Answered {
    return { answers: this.#answers, seconds: (performance.now() - this.#beganAt) / 1000 };
  }

  /** Connects, now and whenever the server ends the connection. */
  run(): void {
    this.#beganAt = performance.now();
    this.#talks = false;
    this.#answers = 0;
    const socket = connect({ ...this.#to, noDelay: true });
    // The end tells the same, and comes after it.
    socket.on("error", () => {});
    socket.on("close", () => setTimeout(() => this.run()));
    socket.on(
      "data",
      (chunk: Buffer) => this.#talks ? this.#hear(socket, chunk) : this.#begin(socket, chunk),
    );
    socket.write(this.#hello);
  }

  #begin(socket: Socket, chunk: Buffer): void {
    if (!chunk.includes(this.#flood.isMember ? '"welcome"' : '"hello"')) return;
    this.#talks = true;
    this.#onBegun();
    if (this.#flood.waits) this.#say(socket);
    else this.#pour(socket);
  }

  #hear(socket: Socket, chunk: Buffer): void {
    if (this.#flood.answer === undefined) return;
    const answers = occurrences(chunk, this.#flood.answer);
    this.#answers += answers;
    if (answers === 0 || !this.#flood.waits) return;
    if (this.#flood.leaves) socket.destroy();
    else this.#say(socket);
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

/** How often a text stands in a chunk; one that two chunks share is not counted. */
function occurrences(chunk: Buffer, text: string): number {
  let count = 0;
  for (let at = 0; (at = chunk.indexOf(text, at) + 1) > 0;) count++;
  return count;
}

const [port, kind, connections, ...tokens] = Deno.args;
let left = Number(connections);
const begun = () => --left === 0 && console.log("flooding");
const flood = FLOODS[kind!]!;
const floods = Array.from(
  { length: Number(connections) },
  (_, i) => new FloodConnection(i, Number(port), flood, begun),
);
for (const connection of floods) connection.run();
for await (const _ of Deno.stdin.readable);
console.log(JSON.stringify(floods.map(({ answered }) => answered)));
Deno.exit();
