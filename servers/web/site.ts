/**
 * What a server answers to HTTP requests.
 *
 * @module
 */
import type { HttpProtocol } from "../../lib/server/http_protocol.ts";
import { httpProtocol, type Site } from "../../lib/web/http_conn.ts";
import type { HttpRequest } from "../../lib/web/request.ts";
import type { HttpResponse } from "../../lib/web/response.ts";
import { readWebFiles, type WebFiles } from "./files.ts";

const ROOT = new URL("../../", import.meta.url);

/** Makes what speaks HTTP for the server of an exercise. */
export function openSite(
  { name, host, cert }: { name: string; host: string; cert?: string },
): HttpProtocol {
  return httpProtocol(new ExerciseSite(name, host.toLowerCase()), cert !== undefined);
}

/** The files of one exercise. They are read at the first request, and kept in memory. */
export class ExerciseSite implements Site {
  readonly webSocketPath = "/ws";
  readonly names: readonly string[];
  readonly #server: string;
  readonly #root: URL;
  #files: Promise<WebFiles> | undefined;

  /** Makes the site of an exercise at a host, whose files are below `root`. */
  constructor(server: string, host: string, root: URL = ROOT) {
    this.#server = server;
    this.names = [host];
    this.#root = root;
  }

  /** Answers with a file. Only a path that is one of theirs, letter by letter, is found. */
  async respond({ path, headers }: HttpRequest): Promise<HttpResponse | undefined> {
    const file = (await this.#read()).get(path);
    if (file === undefined) return undefined;
    const { type, body, caching: cacheControl, tag } = file;
    const caching = { "cache-control": cacheControl, "etag": tag };
    if (headers.get("if-none-match") === tag) return { status: 304, headers: caching };
    return { headers: { "content-type": type, ...caching }, body };
  }

  #read(): Promise<WebFiles> {
    const files = this.#files ??= readWebFiles(this.#root, this.#server);
    // Without a free descriptor, for example: the next request tries again.
    files.catch(() => this.#files = undefined);
    return files;
  }
}
