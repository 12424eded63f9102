/**
 * The request of HTTP/1.1 (RFC 9112), as strict as it can be: a server that accepts less has fewer faults.
 *
 * @module
 */

/** A request is refused: the status of the response, and what is wrong, in a sentence that quotes nothing of it. */
export class HttpError extends Error {
  /** The class's name. */
  override readonly name = "HttpError";
  /** The status of the response. */
  readonly status: number;

  /** Makes an error of a status, as 404. */
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** A request without a body. */
export interface HttpRequest {
  /** What is asked for. `HEAD` gets the head of the response alone. */
  readonly method: "GET" | "HEAD";
  /** The path as it was sent, without a query: nothing is decoded or normalized. */
  readonly path: string;
  /** The values by name in lower case; where a name came twice, both, with `, ` between them. */
  readonly headers: ReadonlyMap<string, string>;
  /** Whether it came over TLS. */
  readonly isSecure: boolean;
}

const MAX_HEADERS = 64;
const REQUEST_LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([!-~]+) HTTP\/(\d\.\d)$/;
const TARGET = /^(\/[^?#]*)(?:\?[^#]*)?$/;
const HEADER = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/;
// Two values of one of these would mean different things to different readers.
const SINGLE = ["host", "content-length", "origin", "sec-websocket-key", "sec-websocket-version"];

/**
 * Reads the head of a request. A line that continues the one before is refused (RFC 9112, section 5.2), and so is every
 * sign of a body (section 6.3).
 *
 * @throws {HttpError} If it is not a request that this server answers.
 */
export function parseRequest(head: string, { isSecure = false } = {}): HttpRequest {
  const [requestLine = "", ...lines] = head.split("\r\n");
  const [, method, target = "", version] = REQUEST_LINE.exec(requestLine) ?? [];
  if (method === undefined) throw new HttpError(400, "The first line is not that of a request");
  if (version !== "1.1") throw new HttpError(505, "This server speaks HTTP/1.1 only");
  if (method !== "GET" && method !== "HEAD") throw new HttpError(405, "Only GET and HEAD are here");
  const [, path] = TARGET.exec(target) ?? [];
  if (path === undefined) throw new HttpError(400, "The target of a request is a path");
  const headers = parseHeaders(lines);
  if (!headers.has("host")) throw new HttpError(400, "A request needs one Host header");
  const length = headers.get("content-length") ?? "0";
  if (length !== "0" || headers.has("transfer-encoding")) {
    throw new HttpError(400, "A request has no body here");
  }
  return { method, path, headers, isSecure };
}

function parseHeaders(lines: string[]): Map<string, string> {
  if (lines.length > MAX_HEADERS) {
    throw new HttpError(431, `A request has at most ${MAX_HEADERS} headers`);
  }
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [, name, value = ""] = HEADER.exec(line) ?? [];
    if (name === undefined) throw new HttpError(400, "A header is not one line with a name");
    const key = name.toLowerCase();
    const before = headers.get(key);
    if (before !== undefined && SINGLE.includes(key)) {
      throw new HttpError(400, "A header that may come once came twice");
    }
    headers.set(key, before === undefined ? value : `${before}, ${value}`);
  }
  return headers;
}

/** Whether a header that is a list of names has such a name. */
export function hasToken(request: HttpRequest, header: string, token: string): boolean {
  const list = request.headers.get(header) ?? "";
  return list.split(",").some((item) => item.trim().toLowerCase() === token);
}

const NUMERIC_HOST = /^(?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-f:.]+\]|localhost)$/i;

/**
 * Checks that a page of another site, whose name was made to lead here (DNS rebinding), is not the one that asks: the
 * `Host` is a numeric address, `localhost`, or one of `names`. TLS proves that by itself.
 *
 * @throws {HttpError} If it is not.
 */
export function checkHost({ headers, isSecure }: HttpRequest, names: readonly string[]): void {
  const host = headers.get("host")!.replace(/:\d{1,5}$/, "").toLowerCase();
  if (isSecure || NUMERIC_HOST.test(host) || names.includes(host)) return;
  throw new HttpError(421, "This server is open by its address only, as http://127.0.0.1:9090/");
}
