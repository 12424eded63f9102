/**
 * HTTP and WebSockets for a server that speaks frames, on the same port.
 *
 * @module
 */
import type { HttpProtocol } from "../server/http_protocol.ts";
import { HttpConn, type Site } from "./http_conn.ts";

/** Makes the option `http` of a server: requests are answered by `site`, and WebSockets go to the handler. */
export function httpProtocol(site: Site, isSecure = false): HttpProtocol {
  return { open: (conn, options) => new HttpConn(conn, options, site, isSecure) };
}
