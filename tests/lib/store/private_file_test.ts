import { assert, assertEquals, assertRejects } from "@std/assert";
import { stub } from "@std/testing/mock";
import { changeFile } from "../../../lib/store/private_file.ts";
import { FILES, testWith } from "../../support/permissions.ts";

function replaceFile(path: string, text: string): Promise<void> {
  return changeFile(path, () => Promise.resolve(text));
}

function names(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}

testWith(FILES, "changeFile() makes the folder and a file for its owner only", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/deep/er/file`;

  await replaceFile(path, "Füße");

  assertEquals(await Deno.readTextFile(path), "Füße");
  if (Deno.build.os !== "windows") assertEquals((await Deno.stat(path)).mode! & 0o777, 0o600);
  if (Deno.build.os !== "windows") {
    assertEquals((await Deno.stat(`${folder}/deep/er`)).mode! & 0o777, 0o700);
  }
  assertEquals(names(`${folder}/deep/er`), ["file"]);
  await Deno.remove(folder, { recursive: true });
});

testWith(FILES, "changeFile() writes it all when the disk takes one byte a call", async () => {
  const folder = await Deno.makeTempDir();
  const write = Deno.FsFile.prototype.write;
  const oneByte = stub(Deno.FsFile.prototype, "write", function (this: Deno.FsFile, bytes) {
    return write.call(this, bytes.subarray(0, 1));
  });

  await replaceFile(`${folder}/file`, "hello").finally(() => oneByte.restore());

  assertEquals(await Deno.readTextFile(`${folder}/file`), "hello");
  await Deno.remove(folder, { recursive: true });
});

testWith(
  FILES,
  "changeFile() puts the new file in place only after it is on the disk",
  async () => {
    const folder = await Deno.makeTempDir();
    const calls: string[] = [];
    const { sync } = Deno.FsFile.prototype;
    const { rename } = Deno;
    using _sync = stub(Deno.FsFile.prototype, "sync", function (this: Deno.FsFile) {
      calls.push("sync");
      return sync.call(this);
    });
    using _rename = stub(Deno, "rename", (from, to) => {
      calls.push("rename");
      return rename(from, to);
    });

    await replaceFile(`${folder}/file`, "hello");

    const ofFolder = Deno.build.os === "windows" ? [] : ["sync"];
    assertEquals(calls, ["sync", "rename", ...ofFolder]);
    await Deno.remove(folder, { recursive: true });
  },
);

for (const step of ["write", "sync", "rename"] as const) {
  testWith(FILES, `changeFile() leaves the old file and no other when ${step} fails`, async () => {
    const folder = await Deno.makeTempDir();
    await replaceFile(`${folder}/file`, "old");
    const fail = () => Promise.reject(new Error("No space left on device"));
    const failing = step === "rename"
      ? stub(Deno, "rename", fail)
      : stub(Deno.FsFile.prototype, step, fail);

    await assertRejects(() => replaceFile(`${folder}/file`, "new"), Error, "No space left");

    failing.restore();
    assertEquals(await Deno.readTextFile(`${folder}/file`), "old");
    assertEquals(names(folder), ["file"]);
    await Deno.remove(folder, { recursive: true });
  });
}

testWith(FILES, "changeFile() does without syncing a folder that cannot be synced", async () => {
  const folder = await Deno.makeTempDir();
  const { sync } = Deno.FsFile.prototype;
  let calls = 0;
  using _sync = stub(Deno.FsFile.prototype, "sync", function (this: Deno.FsFile) {
    return calls++ === 0 ? sync.call(this) : Promise.reject(new Error("Invalid argument"));
  });

  await replaceFile(`${folder}/file`, "hello");

  assertEquals(await Deno.readTextFile(`${folder}/file`), "hello");
  await Deno.remove(folder, { recursive: true });
});

testWith(FILES, "changeFile() may be called while it replaces the same file", async () => {
  const folder = await Deno.makeTempDir();
  const texts = ["one", "two", "three"];

  await Promise.all(texts.map((text) => replaceFile(`${folder}/file`, text)));

  assert(texts.includes(await Deno.readTextFile(`${folder}/file`)));
  assertEquals(names(folder), ["file"]);
  await Deno.remove(folder, { recursive: true });
});

testWith(FILES, "changeFile() changes a file whose folder cannot be locked", async () => {
  const folder = await Deno.makeTempDir();
  using _lock = stub(
    Deno.FsFile.prototype,
    "lock",
    () => Promise.reject(new Error("No locks available")),
  );

  await changeFile(`${folder}/file`, () => Promise.resolve("hello"));

  assertEquals(await Deno.readTextFile(`${folder}/file`), "hello");
  await Deno.remove(folder, { recursive: true });
});

testWith(FILES, "changeFile() changes a file whose folder cannot be opened", async () => {
  const folder = await Deno.makeTempDir();
  const { open } = Deno;
  using _open = stub(Deno, "open", (path, options) => {
    const isFolder = path === folder;
    return isFolder ? Promise.reject(new Deno.errors.PermissionDenied()) : open(path, options);
  });

  await changeFile(`${folder}/file`, () => Promise.resolve("hello"));

  assertEquals(await Deno.readTextFile(`${folder}/file`), "hello");
  await Deno.remove(folder, { recursive: true });
});
