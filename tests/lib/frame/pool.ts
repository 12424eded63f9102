import { takeBuffer } from "../../../lib/frame/buffer_pool.ts";

/** Takes all buffers of the size for so many bytes that wait for another use. */
export function takeAll(bytes = 1): ArrayBufferLike[] {
  return Array.from({ length: 100 }, () => takeBuffer(bytes).buffer);
}
