/**
 * HTTP on the port of a server that speaks frames: one connection that carries requests, until one opens a WebSocket.
 *
 * `node:http` can be handed a connection too (Deno 2.9.6, `server.emit("connection", duplex)`), and is not used: it applies
 * no time limit to the head of a request there, accepts a second `Host` and absolute targets, has read on when it gives
 * the connection back for a WebSocket, and takes 45 ms to load. `Deno.serve` and `Deno.upgradeWebSocket` take connections
 * of their own listener only, and their WebSocket has no backpressure.
 *
 * @module
 */
import { ByteConn, internalsOf } from "../conn/byte_conn.ts";
import type { FramedConnOptions } from "../conn/conn_options.ts";
import type { FramedConn } from "../conn/framed_conn.ts";
import type { HttpConversation, HttpProtocol } from "../server/http_protocol.ts";
import { connInfoOf } from "../server/server_events.ts";
import { FrameEncoder } from "../frame/frame_encoder.ts";
import { acceptWebSocket } from "./handshake.ts";
import { HeadDecoder } from "./head_decoder.ts";
import { checkHost, hasToken, HttpError, type HttpRequest, parseRequest } from "./request.ts";
import { encodeResponse, errorResponse, type HttpResponse } from "./response.ts";
import { WebSocketConn } from "./web_socket_conn.ts";

/** What a server answers HTTP requests with. */
export interface Site {
  /** The path at which a WebSocket opens. */
  readonly webSocketPath: string;
  /** Names of this server that a request may have as its `Host`, beside every numeric address and `localhost`. */
  readonly names: readonly string[];
  /** Answers a request from an address; what is `undefined` is not found. */
  respond(
    request: HttpRequest,
    address: string,
  ): HttpResponse | undefined | Promise<HttpResponse | undefined>;
}

/** Makes the option `http` of a server: requests are answered by `site`, and WebSockets go to the handler. */
export function httpProtocol(site: Site, isSecure = false): HttpProtocol {
  return { open: (conn, options) => new HttpConn(conn, options, site, isSecure) };
}

const MAX_HEAD_BYTES = 8 * 1024;
// How long the head of a request may take, and how long no other request may come. A browser that has loaded a page, and
// a program that has loaded modules, leave many connections open, which take places of others.
const HEAD_TIMEOUT_MS = 10_000;
const KEEP_ALIVE_MS = 2000;
const MAX_REQUESTS = 100;

const NOT_FOUND = new HttpError(404, "There is nothing at this path");

/** Answers the requests of one connection. */
export class HttpConn extends ByteConn implements HttpConversation {
  requests = 0;
  readonly #options: FramedConnOptions;
  readonly #site: Site;
  readonly #address: string;
  readonly #isSecure: boolean;

  /** Takes over a connection of which nothing was received yet. */
  constructor(from: FramedConn, options: FramedConnOptions, site: Site, isSecure: boolean) {
    const { transport, unread } = internalsOf(from).handOver();
    const { sendTimeoutMs = 0, idleTimeoutMs = 0 } = options;
    const decoder = new HeadDecoder({ maxBodyBytes: MAX_HEAD_BYTES });
    super(transport, { sendTimeoutMs, idleTimeoutMs }, { decoder, encoder: new FrameEncoder() });
    decoder.push(unread);
    this.#options = options;
    this.#site = site;
    this.#address = connInfoOf(transport, 0).address;
    this.#isSecure = isSecure;
  }

  async negotiate(): Promise<WebSocketConn | undefined> {
    let isLast = false;
    while (!isLast) {
      const request = await this.#receive();
      if (request === undefined) return undefined;
      isLast = ++this.requests >= MAX_REQUESTS || hasToken(request, "connection", "close");
      const response = await this.#respond(request);
      if (response.status === 101) return await this.#open(response);
      isLast ||= response.status === 500;
      await this.#send(response, { isHead: request.method === "HEAD", isLast });
    }
    return undefined;
  }

  /** Receives a request. One that cannot be read is answered, and is the last. */
  async #receive(): Promise<HttpRequest | undefined> {
    try {
      const head = await this.#receiveHead();
      return head === null ? undefined : parseRequest(head, { isSecure: this.#isSecure });
    } catch (error) {
      if (!(error instanceof HttpError)) throw error;
      await this.#send(errorResponse(error), { isHead: false, isLast: true });
      return undefined;
    }
  }

  /** Receives a head; `null` where no other comes. */
  async #receiveHead(): Promise<string | null> {
    if (this.requests > 0) {
      const peeked = await inTime(
        KEEP_ALIVE_MS,
        (signal) => internalsOf(this).reader.peek(1, signal),
      );
      if (peeked === undefined) return null;
    }
    const head = await inTime(
      HEAD_TIMEOUT_MS,
      (signal) => internalsOf(this).reader.receive(signal),
    );
    if (head !== undefined) return head;
    throw new HttpError(408, "The request did not come in time");
  }

  async #respond(request: HttpRequest): Promise<HttpResponse> {
    try {
      checkHost(request, this.#site.names);
      if (request.path === this.#site.webSocketPath) return await acceptWebSocket(request);
      return await this.#site.respond(request, this.#address) ?? errorResponse(NOT_FOUND);
    } catch (error) {
      return errorResponse(error instanceof HttpError ? error : FAILED);
    }
  }

  async #open(response: HttpResponse): Promise<WebSocketConn> {
    await this.#send(response, { isHead: true, isLast: false });
    const { transport, unread } = internalsOf(this).handOver();
    return new WebSocketConn(transport, this.#options, unread);
  }

  /** Settles when the operating system has taken all of it: only then the next request is read. */
  async #send(
    response: HttpResponse,
    options: { isHead: boolean; isLast: boolean },
  ): Promise<void> {
    await internalsOf(this).queue.write(encodeResponse(response, options));
    await this.flush();
  }
}

const FAILED = new HttpError(500, "This server could not answer, try again");

/** What a receive gives, or `undefined` if it takes longer than `ms`, or than the connection's own limit. */
async function inTime<T>(
  ms: number,
  receive: (signal: AbortSignal) => Promise<T>,
): Promise<T | undefined> {
  const timeout = new AbortController();
  const timer = setTimeout(() => timeout.abort(), ms);
  try {
    return await receive(timeout.signal);
  } catch (error) {
    if (timeout.signal.aborted || error instanceof Deno.errors.TimedOut) return undefined;
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
