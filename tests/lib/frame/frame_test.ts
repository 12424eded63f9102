import { assert, assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import {
  checkMaxBodyBytes,
  encodeFrame,
  FrameTooLargeError,
  readHeader,
  writeHeader,
} from "../../../lib/frame/frame.ts";
import { header } from "../../support/bytes.ts";

Deno.test("encodeFrame() puts a big-endian header in front of UTF-8", () => {
  const table: [text: string, frame: number[]][] = [
    ["", [0, 0, 0, 0]],
    ["hi", [0, 0, 0, 2, 0x68, 0x69]],
    ["ё", [0, 0, 0, 2, 0xd1, 0x91]],
    ["🙂", [0, 0, 0, 4, 0xf0, 0x9f, 0x99, 0x82]],
    ["\ufeff", [0, 0, 0, 3, 0xef, 0xbb, 0xbf]],
  ];

  for (const [text, frame] of table) assertEquals(encodeFrame(text), new Uint8Array(frame));
});

Deno.test("encodeFrame() takes a body at the limit, 1 MiB by default, and refuses one byte more", () => {
  assertEquals(encodeFrame("яя", { maxBodyBytes: 4 }).length, 8);
  const error = assertThrows(() => encodeFrame("яя", { maxBodyBytes: 3 }), FrameTooLargeError);

  assertInstanceOf(error, RangeError);
  assertEquals(error.message, "Cannot send a body of 4 bytes: the limit is 3");
  assertEquals([error.name, error.bodyBytes, error.maxBodyBytes], ["FrameTooLargeError", 4, 3]);
  assertThrows(() => encodeFrame("abcd", { maxBodyBytes: 3 }), FrameTooLargeError);
  assertEquals(encodeFrame("a".repeat(1024 * 1024)).length, 4 + 1024 * 1024);
  assertThrows(() => encodeFrame("a".repeat(1024 * 1024 + 1)), FrameTooLargeError);
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
