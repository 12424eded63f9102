/**
 * The clients' modules over HTTP. One short request a connection is all that `deno run URL` needs, so this is not
 * `Deno.serve`, which waits without end for a request's head and prints what it cannot parse.
 *
 * @module
 */

/** Sources by URL path, such as `/client/main.ts`. */
export type Modules = ReadonlyMap<string, string>;

const RELATIVE_IMPORT = /\b(?:from|import)\s*\(?\s*"(\.{1,2}\/[^"]+)"/g;
const REQUEST_LINE = /^(GET|HEAD|\w+) (\/[^ ?]*)(?:\?[^ ]*)? HTTP\/1\.[01]\r\n/;
const MAX_HEAD_BYTES = 8 * 1024;
const TIMEOUT_MS = 10_000;

/**
 * Reads the clients and all that they import, and nothing else.
 *
 * @param root The folder that holds `client` and `lib`, with a slash at its end.
 * @throws {Deno.errors.NotFound} If a module imports one that is not there.
 */
export async function clientModules(root: URL): Promise<Modules> {
  const modules = new Map<string, string>();
  const missing: URL[] = [];
  for await (const { name } of Deno.readDir(new URL("client", root))) {
    if (name.endsWith(".ts")) missing.push(new URL(`client/${name}`, root));
  }
  for (let module = missing.pop(); module; module = missing.pop()) {
    const path = module.pathname.slice(root.pathname.length - 1);
    if (modules.has(path)) continue;
    const source = await Deno.readTextFile(module);
    modules.set(path, source);
    for (const [, target] of source.matchAll(RELATIVE_IMPORT)) {
      missing.push(new URL(target!, module));
    }
  }
  return modules;
}

/** The response to a request's head. A path that is not in `modules` is not found, however it is spelled. */
export function responseTo(head: string, modules: Modules): Uint8Array<ArrayBuffer> {
  const [, method, path = ""] = REQUEST_LINE.exec(head) ?? [];
  const source = modules.get(path);
  if (method === undefined) return response("400 Bad Request", "Not a request\n");
  if (method !== "GET" && method !== "HEAD") return response("405 Not Allowed", "Only GET\n");
  if (source === undefined) return response("404 Not Found", "Only the client is here\n");
  return response("200 OK", source, { type: "application/typescript", isHead: method === "HEAD" });
}

function response(
  status: string,
  text: string,
  { type = "text/plain", isHead = false } = {},
): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  const head = [
    `HTTP/1.1 ${status}`,
    `content-type: ${type}; charset=utf-8`,
    `content-length: ${encoder.encode(text).length}`,
    "cache-control: no-cache",
    "x-content-type-options: nosniff",
    "connection: close",
  ];
  return encoder.encode(`${head.join("\r\n")}\r\n\r\n${isHead ? "" : text}`);
}

/** Options for {@linkcode answer}. */
export interface AnswerOptions {
  /**
   * When the connection is closed, answered or not.
   *
   * @default {10_000}
   */
  timeoutMs?: number;
}

/** Reads one request from a connection, answers it, and closes the connection. It never rejects. */
export async function answer(
  conn: Deno.Conn,
  modules: Modules,
  { timeoutMs = TIMEOUT_MS }: AnswerOptions = {},
): Promise<void> {
  let isOpen = true;
  const close = () => {
    if (isOpen) conn.close();
    isOpen = false;
  };
  const timer = setTimeout(close, timeoutMs);
  try {
    const head = await readHead(conn);
    let rest = responseTo(head ?? "", modules);
    while (rest.length > 0) rest = rest.subarray(await conn.write(rest));
    await conn.closeWrite();
    // To close with unread bytes would reset the connection before the peer has the response.
    while (await conn.read(new Uint8Array(MAX_HEAD_BYTES)) !== null);
  } catch {
    // The peer has left, or the time is over: no answer can be sent.
  } finally {
    clearTimeout(timer);
    close();
  }
}

/** The head of a request, in Latin-1; `undefined` if it is too long or ends early. */
async function readHead(conn: Deno.Conn): Promise<string | undefined> {
  const buffer = new Uint8Array(MAX_HEAD_BYTES);
  for (let bytes = 0; bytes < buffer.length;) {
    const n = await conn.read(buffer.subarray(bytes));
    if (n === null) return undefined;
    bytes += n;
    const head = new TextDecoder("latin1").decode(buffer.subarray(0, bytes));
    if (head.includes("\r\n\r\n")) return head;
  }
  return undefined;
}
