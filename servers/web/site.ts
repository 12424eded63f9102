/**
 * What a server answers to HTTP requests.
 *
 * @module
 */
import type { HttpProtocol, RecentBrowsers } from "../../lib/server/http_protocol.ts";
import { httpProtocol, type Site } from "../../lib/web/http_conn.ts";
import type { HttpRequest } from "../../lib/web/request.ts";
import type { HttpResponse } from "../../lib/web/response.ts";
import { readWebFiles, type WebFiles } from "./files.ts";

const ROOT = new URL("../../", import.meta.url);

/** Makes what speaks HTTP for the server of an exercise. */
export function openSite(
  { name, host, cert }: { name: string; host: string; cert?: string },
  browsers?: RecentBrowsers,
): HttpProtocol {
  const site = new ExerciseSite(name, host.toLowerCase(), { browsers });
  return httpProtocol(site, cert !== undefined);
}

/** The files of one exercise. They are read at the first request, and kept in memory. */
export class ExerciseSite implements Site {
  readonly webSocketPath = "/ws";
  readonly names: readonly string[];
  readonly #server: string;
  readonly #root: URL;
  readonly #browsers: RecentBrowsers | undefined;
  #files: Promise<WebFiles> | undefined;

  /** Makes the site of an exercise at a host, whose files are below `root`; notes the addresses of browsers. */
  constructor(
    server: string,
    host: string,
    { root = ROOT, browsers }: { root?: URL; browsers?: RecentBrowsers | undefined } = {},
  ) {
    this.#server = server;
    this.names = [host];
    this.#root = root;
    this.#browsers = browsers;
  }

  /** Answers with a file. Only a path that is one of theirs, letter by letter, is found. */
  async respond(
    { path, headers }: HttpRequest,
    address: string,
  ): Promise<HttpResponse | undefined> {
    // Programs, such as Deno, open no connections in advance.
    if (headers.get("user-agent")?.startsWith("Mozilla/")) this.#browsers?.note(address);
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
