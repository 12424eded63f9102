/**
 * The response of HTTP/1.1.
 *
 * @module
 */
import type { HttpError } from "./request.ts";

/** What a request is answered with. */
export interface HttpResponse {
  /**
   * The status code.
   *
   * @default {200}
   */
  readonly status?: number;
  /** Headers beside those that every response has. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The body. */
  readonly body?: Uint8Array;
}

const REASONS: Record<number, string> = {
  101: "Switching Protocols",
  200: "OK",
  304: "Not Modified",
  400: "Bad Request",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  421: "Misdirected Request",
  426: "Upgrade Required",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  503: "Service Unavailable",
  505: "HTTP Version Not Supported",
};

// Scripts, styles and connections of this origin only, none of them in the page itself; no frame of another site.
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const SECURITY_HEADERS = {
  "content-security-policy": CONTENT_SECURITY_POLICY,
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

const NOTHING = new Uint8Array(0);

/** Makes the bytes of a response. That to a `HEAD` has no body, and the length of the body that a `GET` gets. */
export function encodeResponse(
  { status = 200, headers = {}, body = NOTHING }: HttpResponse,
  { isHead, isLast }: { isHead: boolean; isLast: boolean },
): Uint8Array<ArrayBuffer> {
  const hasLength = status !== 101 && status !== 304;
  const all = {
    ...SECURITY_HEADERS,
    ...headers,
    ...(hasLength && { "content-length": `${body.length}` }),
    ...(isLast && { "connection": "close" }),
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = new TextEncoder().encode(
    `HTTP/1.1 ${status} ${REASONS[status] ?? ""}\r\n${lines.join("")}\r\n`,
  );
  if (isHead) return head;
  const bytes = new Uint8Array(head.length + body.length);
  bytes.set(head);
  bytes.set(body, head.length);
  return bytes;
}

/** Makes the response of a text. */
export function textResponse(
  text: string,
  { status = 200, headers = {} }: HttpResponse = {},
): HttpResponse {
  return {
    status,
    headers: {
      "content-type": "text/plain; charset=utf-8",
      "cache-control": "no-store",
      ...headers,
    },
    body: new TextEncoder().encode(`${text}\n`),
  };
}

/** Makes the response to a request that is refused. */
export function errorResponse({ status, message }: HttpError): HttpResponse {
  const headers: Record<string, string> = {};
  if (status === 405) headers["allow"] = "GET, HEAD";
  if (status === 426) headers["sec-websocket-version"] = "13";
  return textResponse(message, { status, headers });
}
