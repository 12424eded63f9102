/**
 * Raw HTTP and WebSocket peers: they send what they are told, right or wrong.
 *
 * @module
 */
import type { ServeOptions } from "../../../lib/server/serve_options.ts";
import { serve, type Server } from "../../../lib/server/server.ts";
import { httpProtocol } from "../../../lib/web/http_conn.ts";
import { textResponse } from "../../../lib/web/response.ts";
import { echo } from "../../../servers/echo.ts";

const encoder = new TextEncoder();

/** Serves an echo over frames and WebSockets, and a page at `/`; the server is called chat.example too. */
export function serveWeb(options: ServeOptions = {}): Server {
  const http = httpProtocol({
    webSocketPath: "/ws",
    names: ["chat.example"],
    respond: ({ path }) => path === "/" ? textResponse("page") : undefined,
  }, options.cert !== undefined);
  return serve(echo, { port: 0, ...options, http });
}

/** A head that opens a WebSocket, with other headers where those are given. */
export function upgradeHead(headers: Record<string, string> = {}): string {
  const all = {
    "Host": "127.0.0.1",
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `GET /ws HTTP/1.1\r\n${lines.join("")}\r\n`;
}

/** A frame of a client: masked, with a minimal length, unless `options` say otherwise. */
export function clientFrame(
  opcode: number,
  payload: string | Uint8Array = "",
  { isLast = true, reserved = 0, masked = true, lengthBytes }: {
    isLast?: boolean;
    reserved?: number;
    masked?: boolean;
    lengthBytes?: 0 | 2 | 8;
  } = {},
): Uint8Array<ArrayBuffer> {
  const body = typeof payload === "string" ? encoder.encode(payload) : payload;
  const more = lengthBytes ?? (body.length < 126 ? 0 : body.length < 65536 ? 2 : 8);
  const mask = masked ? [0x37, 0xfa, 0x21, 0x3d] : [];
  const frame = new Uint8Array(2 + more + mask.length + body.length);
  const view = new DataView(frame.buffer);
  frame[0] = (isLast ? 0x80 : 0) | reserved << 4 | opcode;
  frame[1] = (masked ? 0x80 : 0) | (more === 0 ? body.length : more === 2 ? 126 : 127);
  if (more === 2) view.setUint16(2, body.length);
  if (more === 8) view.setBigUint64(2, BigInt(body.length));
  frame.set(mask, 2 + more);
  body.forEach((byte, i) => frame[2 + more + mask.length + i] = byte ^ (mask[i & 3] ?? 0));
  return frame;
}

/** The payload of a close frame. */
export function closePayload(code: number, reason = ""): Uint8Array {
  return new Uint8Array([code >> 8, code & 0xff, ...encoder.encode(reason)]);
}

/** Reads until the peer has finished, or is gone. */
export async function readAll(conn: Pick<Deno.Conn, "read">): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: number[] = [];
  const buffer = new Uint8Array(64 * 1024);
  try {
    for (let n; (n = await conn.read(buffer)) !== null;) chunks.push(...buffer.subarray(0, n));
  } catch {
    // What came before the reset counts.
  }
  return new Uint8Array(chunks);
}

/** Sends chunks to a server, one after the other, then finishes, and gives all that comes back as Latin-1. */
export async function exchange(
  server: Server,
  ...chunks: (string | Uint8Array)[]
): Promise<string> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port: server.addr.port });
  const reading = readAll(conn);
  for (const chunk of chunks) {
    const bytes = typeof chunk === "string" ? encoder.encode(chunk) : chunk;
    try {
      for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
    } catch {
      break; // It has closed already.
    }
  }
  await conn.closeWrite().catch(() => {/* It has closed already. */});
  return String.fromCharCode(...await reading);
}
