/**
 * HTTP and WebSockets for a server that speaks frames, on the same port.
 *
 * @module
 */
import type { HttpProtocol } from "../server/http_protocol.ts";
import { HttpConn, type Site } from "./http_conn.ts";
import { encodeResponse, textResponse } from "./response.ts";

/** Options for {@linkcode httpProtocol}. */
export interface HttpOptions extends Pick<HttpProtocol, "silenceMs" | "endsSilent"> {
  /** Whether the server speaks TLS. */
  readonly isSecure: boolean;
}

const REFUSAL = textResponse("There is no room on this server now, try again later", {
  status: 503,
  headers: { "retry-after": "5" },
});

/** Makes the option `http` of a server: requests are answered by `site`, and WebSockets go to the handler. */
export function httpProtocol(site: Site, { isSecure, ...silence }: HttpOptions): HttpProtocol {
  return {
    ...silence,
    refusal: encodeResponse(REFUSAL, { isHead: false, isLast: true }),
    open: (conn, options) => new HttpConn(conn, options, site, isSecure),
  };
}
