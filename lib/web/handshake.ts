/**
 * The server's part of a WebSocket's opening handshake (RFC 6455, section 4.2).
 *
 * @module
 */
import { hasToken, HttpError, type HttpRequest } from "./request.ts";
import type { HttpResponse } from "./response.ts";

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
// 16 bytes in base64.
const KEY = /^[A-Za-z0-9+/]{21}[AQgw]==$/;

/**
 * Answers a request to open a WebSocket. A page may open one to its own origin only; a program sends no `Origin`.
 *
 * @throws {HttpError} If the request is none, or that of a page of another origin.
 */
export async function acceptWebSocket(request: HttpRequest): Promise<HttpResponse> {
  const { method, headers } = request;
  if (!hasToken(request, "upgrade", "websocket") || !hasToken(request, "connection", "upgrade")) {
    throw new HttpError(426, "Only a WebSocket opens here");
  }
  if (method !== "GET") throw new HttpError(405, "A WebSocket opens with GET");
  if (headers.get("sec-websocket-version") !== "13") {
    throw new HttpError(426, "The version of the WebSocket protocol here is 13");
  }
  const key = headers.get("sec-websocket-key") ?? "";
  if (!KEY.test(key)) throw new HttpError(400, "The key of a WebSocket is 16 bytes in base64");
  checkOrigin(request);
  const digest = await crypto.subtle.digest("SHA-1", new TextEncoder().encode(key + GUID));
  const accept = new Uint8Array(digest).toBase64();
  return {
    status: 101,
    headers: { "upgrade": "websocket", "connection": "Upgrade", "sec-websocket-accept": accept },
  };
}

function checkOrigin({ headers, isSecure }: HttpRequest): void {
  const origin = headers.get("origin");
  const own = `${isSecure ? "https" : "http"}://${headers.get("host")}`;
  if (origin === undefined || origin.toLowerCase() === own.toLowerCase()) return;
  throw new HttpError(403, "Only this server's own page may open a WebSocket here");
}
