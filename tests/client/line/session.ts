import { LineClient } from "../../../client/line/line_client.ts";
import type { LineClientOptions } from "../../../client/line/line_client_options.ts";
import { FramedConn } from "../../../lib/conn/framed_conn.ts";
import { memoryConnPair } from "../../../lib/conn/memory_conn.ts";

/** What a server does on one connection. */
export type Peer = (conn: FramedConn) => Promise<void>;

/** Sends each message back. */
export async function echo(conn: FramedConn): Promise<void> {
  for await (const text of conn) await conn.send(text);
}

/** A client, what it says, and the lines that it is given one by one. */
export class Session {
  readonly replies: string[] = [];
  readonly service: string[] = [];
  readonly client: LineClient;
  readonly ended: Promise<number>;
  #input = new TransformStream<string, string>();
  #writer = this.#input.writable.getWriter();
  #peers: Promise<void>[] = [];
  #changed = Promise.withResolvers<void>();

  /** The peers are met in this order, one a connection; the last one for ever. An error stands for a refused attempt. */
  constructor(peers: (Peer | Error)[], options: Partial<LineClientOptions> = {}) {
    this.client = new LineClient({
      lines: this.#input.readable,
      connect: () => this.#meet(peers.length > 1 ? peers.shift()! : peers[0]!),
      server: { host: "memory", port: 1, tls: false },
      onReply: (text) => this.#note(this.replies, text),
      onService: (message) => this.#note(this.service, message),
      backoff: { minMs: 0 },
      ...options,
    });
    this.ended = this.client.run();
    this.ended.catch(() => {});
  }

  type(...lines: string[]): this {
    for (const line of lines) this.#writer.write(line).catch(() => {});
    return this;
  }

  end(): Promise<number> {
    this.#writer.close().catch(() => {});
    return this.#finish();
  }

  exit(): Promise<number> {
    this.type("exit");
    return this.#finish();
  }

  /** Waits until the client has said so. */
  async says(message: string): Promise<void> {
    while (!this.service.includes(message)) await this.#changed.promise;
  }

  async replied(count: number): Promise<void> {
    while (this.replies.length < count) await this.#changed.promise;
  }

  async #finish(): Promise<number> {
    const unanswered = await this.ended;
    await Promise.all(this.#peers);
    return unanswered;
  }

  #meet(peer: Peer | Error): Promise<FramedConn> {
    if (peer instanceof Error) return Promise.reject(peer);
    const [near, far] = memoryConnPair().map((conn) => new FramedConn(conn)) as [
      FramedConn,
      FramedConn,
    ];
    this.#peers.push(peer(far).catch(() => {}).finally(() => far.close()));
    return Promise.resolve(near);
  }

  #note(list: string[], text: string): void {
    list.push(text);
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
