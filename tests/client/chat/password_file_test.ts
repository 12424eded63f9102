import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { readPasswordFile } from "../../../client/chat/password_file.ts";
import { FILES, PROCESSES, testWith } from "../../support/permissions.ts";

async function withFile(bytes: Uint8Array, use: (path: string) => Promise<void>): Promise<void> {
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeFile(path, bytes);
    await use(path);
  } finally {
    await Deno.remove(path);
  }
}

const utf8 = (text: string) => new TextEncoder().encode(text);
const utf16 = (text: string, isLittle: boolean) => {
  const view = new DataView(new ArrayBuffer(text.length * 2));
  for (let i = 0; i < text.length; i++) view.setUint16(i * 2, text.charCodeAt(i), isLittle);
  return new Uint8Array(view.buffer);
};

for (
  const [what, bytes] of [
    ["UTF-8", utf8("pässwörd\nmore")],
    ["UTF-8 with a byte order mark and the line ends of Windows", utf8("\ufeffpässwörd\r\n")],
    ["UTF-16, little end first", utf16("\ufeffpässwörd\r\n", true)],
    ["UTF-16, big end first", utf16("\ufeffpässwörd\r\n", false)],
  ] as const
) {
  testWith(
    FILES,
    `readPasswordFile() reads ${what}`,
    () => withFile(bytes, async (path) => assertEquals(await readPasswordFile(path), "pässwörd")),
  );
}

for (
  const [what, bytes, reason] of [
    ["bytes that are no UTF-8", new Uint8Array([0x70, 0xff, 0xfe]), "it is not text in UTF-8"],
    ["UTF-16 without a mark", utf16("password", true), "it is not text in UTF-8"],
    ["an empty line", utf8("\npassword"), "its first line is empty"],
    ["a mark alone", utf8("\ufeff"), "its first line is empty"],
    ["a line too long", utf8("x".repeat(257)), "has more than 256 characters"],
    ["a file without a line end", new Uint8Array(1e5).fill(0x61), "has more than 256 characters"],
  ] as const
) {
  testWith(FILES, `readPasswordFile() refuses ${what}`, () =>
    withFile(bytes, async (path) => {
      await assertRejects(() => readPasswordFile(path), TypeError, reason);
    }));
}

testWith(PROCESSES, "readPasswordFile() says that a named pipe has to be written to", async () => {
  if (Deno.build.os === "windows") return;
  const folder = await Deno.makeTempDir();
  const path = `${folder}/pipe`;
  await new Deno.Command("mkfifo", { args: [path] }).output();
  const told: string[] = [];

  const password = readPasswordFile(path, (text) => {
    told.push(text);
    Deno.writeTextFile(path, "correct horse\n");
  });

  assertEquals(await password, "correct horse");
  assertEquals(told.length, 1);
  assertStringIncludes(told[0]!, `Waiting for the password from ${path}`);
  await Deno.remove(folder, { recursive: true });
});
