import { encodeFrame, HEADER_BYTES } from "../../lib/frame/frame.ts";
import { FrameDecoder } from "../../lib/frame/frame_decoder.ts";
import { FrameEncoder } from "../../lib/frame/frame_encoder.ts";

// Each measured call handles a batch of so many bytes of frames, as one read or write of a busy connection does.
const BATCH_BYTES = 64 * 1024;
const SIZES = { "16 B": 16, "128 B": 128, "1 KiB": 1024, "64 KiB": 64 * 1024 };
const LETTERS = { ASCII: "a", Cyrillic: "я" };

const utf8 = new TextEncoder();

for (const [size, bodyBytes] of Object.entries(SIZES)) {
  const messages = Math.max(1, Math.floor(BATCH_BYTES / (HEADER_BYTES + bodyBytes)));
  for (const [script, letter] of Object.entries(LETTERS)) {
    const text = letter.repeat(bodyBytes / utf8.encode(letter).length);
    benchEncode(`text, ${script}`, size, messages, (encoder) => encoder.push(text));
    benchDecode(`text, ${script}`, size, messages, text, (decoder) => decoder.next());
  }
  const body = new Uint8Array(bodyBytes);
  benchEncode("bytes", size, messages, (encoder) => encoder.pushBytes(body));
  benchDecode("bytes", size, messages, "a".repeat(bodyBytes), (decoder) => decoder.nextBytes());
}

function benchEncode(
  what: string,
  size: string,
  messages: number,
  push: (encoder: FrameEncoder) => void,
): void {
  const encoder = new FrameEncoder();
  Deno.bench(`FrameEncoder: ${messages} × ${size}, ${what}`, { group: `encode ${size}` }, () => {
    for (let i = 0; i < messages; i++) push(encoder);
    encoder.take();
    encoder.release();
  });
}

function benchDecode(
  what: string,
  size: string,
  messages: number,
  text: string,
  next: (decoder: FrameDecoder) => unknown,
): void {
  const frame = encodeFrame(text);
  const chunk = new Uint8Array(frame.length * messages);
  for (let i = 0; i < messages; i++) chunk.set(frame, i * frame.length);
  const decoder = new FrameDecoder();
  Deno.bench(`FrameDecoder: ${messages} × ${size}, ${what}`, { group: `decode ${size}` }, () => {
    decoder.push(chunk);
    for (let i = 0; i < messages; i++) {
      if (next(decoder) === undefined) throw new Error("A message is missing");
    }
  });
}
