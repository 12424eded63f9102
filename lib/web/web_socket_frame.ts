/**
 * The frame of a WebSocket (RFC 6455, section 5.2), and its close codes (section 7.4).
 *
 * ```text
 *  0        1        2 …
 *  +--------+--------+-----------------------+--------------+------ ··· ------+
 *  |FRRROOOO|MLLLLLLL| longer length: 0, 2, 8 | mask: 0 or 4 |     payload     |
 *  +--------+--------+-----------------------+--------------+------ ··· ------+
 * ```
 *
 * F: last fragment of a message; R: reserved; O: opcode; M: masked; L: length, 126 and 127 announce a longer one.
 *
 * @module
 */

/** The opcodes in use. */
export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** The first bit of a frame: the last fragment of a message. */
export const FIN = 0x80;

/** The most payload of a close, a ping or a pong, in bytes. */
export const MAX_CONTROL_BYTES = 125;

/** The close codes that this side sends. */
export const CLOSE = {
  normal: 1000,
  goingAway: 1001,
  protocolError: 1002,
  unsupportedData: 1003,
  invalidText: 1007,
  policyViolation: 1008,
  tooLarge: 1009,
  internalError: 1011,
  tryAgainLater: 1013,
} as const;

/** A close code that this side sends. */
export type CloseCode = typeof CLOSE[keyof typeof CLOSE];

/** Whether a peer may send a close code: one that the RFC or the registry defines for that, or a private one. */
export function isCloseCode(code: number): boolean {
  return code >= 1000 && code <= 1003 || code >= 1007 && code <= 1014 ||
    code >= 3000 && code <= 4999;
}

/** How long the head of an unmasked frame is, in bytes. */
export function headBytes(payloadBytes: number): number {
  if (payloadBytes <= MAX_CONTROL_BYTES) return 2;
  return payloadBytes < 2 ** 16 ? 4 : 10;
}

/** Writes the head of an unmasked, unfragmented frame at `offset`. */
export function writeHead(
  bytes: Uint8Array,
  offset: number,
  opcode: number,
  payload: number,
): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset);
  view.setUint8(0, FIN | opcode);
  if (payload <= MAX_CONTROL_BYTES) {
    view.setUint8(1, payload);
  } else if (payload < 2 ** 16) {
    view.setUint8(1, 126);
    view.setUint16(2, payload);
  } else {
    view.setUint8(1, 127);
    view.setBigUint64(2, BigInt(payload));
  }
}

/** Makes a whole frame of a payload. */
export function wholeFrame(opcode: number, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const head = headBytes(payload.length);
  const frame = new Uint8Array(head + payload.length);
  writeHead(frame, 0, opcode, payload.length);
  frame.set(payload, head);
  return frame;
}
