/**
 * A TCP connection as a stream of Node, for `node:tls`.
 *
 * @module
 */
import type { Duplex } from "node:stream";
import { readEnded, type Reading, readInTurn } from "../../base/turns.ts";
import type { Transport } from "../../conn/conn_options.ts";
import { writeAll } from "../../conn/conn_streams.ts";
import { isHttp } from "../http_protocol.ts";

// A connection at rest waits with the small buffer; one read that fills it is followed by reads into the large one.
const MIN_READ_BYTES = 2 * 1024;
const MAX_READ_BYTES = 64 * 1024;

const HTTPS_ONLY = "HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\n" +
  "connection: close\r\n\r\nThis server speaks TLS: the address begins with https://\n";

/**
 * Makes a stream of the reads and writes of a TCP connection. What they throw is handed to `onError` as it is. A peer
 * that speaks HTTP without TLS is answered in HTTP.
 */
export function streamOver(tcp: Transport, onError: (error: Error) => void): Duplex {
  const { Duplex } = globalThis.process.getBuiltinModule("node:stream");
  const failed = (error: Error) => {
    onError(error);
    stream.destroy(error);
  };
  const refuseHttp = () => {
    const error = new Deno.errors.InvalidData("The peer speaks HTTP without TLS");
    writeAll(tcp, new TextEncoder().encode(HTTPS_ONLY)).then(() => failed(error), failed);
  };
  let buffer = new Uint8Array(MIN_READ_BYTES);
  let isFirst = true;
  const take = (bytes: number | null) => {
    readEnded();
    if (isFirst && isHttp(buffer)) return refuseHttp();
    isFirst = false;
    stream.push(bytes === null ? null : buffer.slice(0, bytes));
    const size = bytes === buffer.length ? MAX_READ_BYTES : MIN_READ_BYTES;
    if (size !== buffer.length) buffer = new Uint8Array(size);
  };
  const reading: Reading = { startReading: () => void tcp.read(buffer).then(take, failed) };
  const stream = new Duplex({
    allowHalfOpen: true,
    read: () => readInTurn(reading),
    write(chunk: Uint8Array, _encoding, done) {
      writeAll(tcp, chunk).then(() => done(), failed);
    },
    final(done) {
      tcp.closeWrite().then(() => done(), failed);
    },
  });
  stream.on("error", () => {});
  return stream;
}
