import { assert, assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import {
  checkMaxBodyBytes,
  DEFAULT_MAX_BODY_BYTES,
  encodeFrame,
  FrameTooLargeError,
  readHeader,
  writeHeader,
} from "../../../lib/frame/frame.ts";
import { header } from "../../support/bytes.ts";

Deno.test("encodeFrame() puts a big-endian header in front of UTF-8", () => {
  assertEquals(encodeFrame("hi"), new Uint8Array([0, 0, 0, 2, 0x68, 0x69]));
  assertEquals(encodeFrame("ё"), new Uint8Array([0, 0, 0, 2, 0xd1, 0x91]));
  assertEquals(encodeFrame("🙂").subarray(0, 4), new Uint8Array([0, 0, 0, 4]));
});

Deno.test("encodeFrame() makes a frame of an empty text", () => {
  assertEquals(encodeFrame(""), new Uint8Array(4));
});

Deno.test("encodeFrame() keeps a BOM", () => {
  assertEquals(encodeFrame("\ufeff"), new Uint8Array([0, 0, 0, 3, 0xef, 0xbb, 0xbf]));
});

Deno.test("encodeFrame() takes a body at the limit and refuses one byte more", () => {
  assertEquals(encodeFrame("яя", { maxBodyBytes: 4 }).length, 8);
  const error = assertThrows(() => encodeFrame("яя", { maxBodyBytes: 3 }), FrameTooLargeError);

  assertInstanceOf(error, RangeError);
  assertEquals(error.message, "Cannot send a body of 4 bytes: the limit is 3");
  assertEquals([error.name, error.bodyBytes, error.maxBodyBytes], ["FrameTooLargeError", 4, 3]);
});

Deno.test("encodeFrame() refuses a text of too many characters before it encodes it", () => {
  const error = assertThrows(() => encodeFrame("abcd", { maxBodyBytes: 3 }), FrameTooLargeError);

  assertEquals(error.bodyBytes, 4);
});

Deno.test("encodeFrame() limits bodies to 1 MiB by default", () => {
  assertEquals(encodeFrame("a".repeat(DEFAULT_MAX_BODY_BYTES)).length, 4 + 1024 * 1024);
  assertThrows(() => encodeFrame("a".repeat(DEFAULT_MAX_BODY_BYTES + 1)), FrameTooLargeError);
});

Deno.test("encodeFrame() refuses a lone surrogate", () => {
  assertThrows(() => encodeFrame("a\ud800"), TypeError, "lone surrogate");
  assertThrows(() => encodeFrame("\udc00b"), TypeError, "lone surrogate");
});

Deno.test("checkMaxBodyBytes() takes what a header can announce, and nothing else", () => {
  for (const good of [0, 1, 2 ** 31, 2 ** 32 - 1]) assertEquals(checkMaxBodyBytes(good), good);
  for (const bad of [-1, 0.5, NaN, Infinity, 2 ** 32]) {
    assertThrows(() => checkMaxBodyBytes(bad), RangeError, "whole number from 0 to 4294967295");
  }
});

Deno.test("readHeader() reads every length that writeHeader() writes", () => {
  const bytes = new Uint8Array(6);
  for (const length of [0, 1, 127, 128, 255, 256, 2 ** 24 + 3, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1]) {
    writeHeader(bytes, 1, length);
    assertEquals(readHeader(bytes, 1), length);
    assert(bytes[0] === 0 && bytes[5] === 0);
  }
  assertEquals(header(2 ** 31), new Uint8Array([0x80, 0, 0, 0]));
});
