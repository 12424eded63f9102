import { assertEquals, assertStringIncludes } from "@std/assert";
import { TokenFile } from "../../../client/chat/token_file.ts";
import { FILES, testWith } from "../../support/permissions.ts";

const HERE = { server: "127.0.0.1:9090", expires: Date.now() + 60_000 };

async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

testWith(
  FILES,
  "TokenFile keeps a token for each name and server",
  () =>
    withFolder(async (folder) => {
      const file = new TokenFile(`${folder}/new/logins.json`);
      await file.save({ ...HERE, name: "anna", token: "a" });
      await file.save({ ...HERE, name: "boris", token: "b" });
      await file.save({ ...HERE, server: "[::1]:1", name: "anna", token: "c" });
      await file.save({ ...HERE, name: "ANNA", token: "d" });

      const again = new TokenFile(`${folder}/new/logins.json`);
      assertEquals((await again.find(HERE.server, "anna"))?.token, "d");
      assertEquals((await again.find(HERE.server, "boris"))?.token, "b");
      assertEquals((await again.find("[::1]:1", "anna"))?.token, "c");
      assertEquals((await again.find(HERE.server))?.token, "d");
      assertEquals(await again.find("::2"), undefined);

      await again.remove("a"); // which another login has replaced
      assertEquals((await again.find(HERE.server))?.token, "d");
      await again.remove("d");
      assertEquals((await again.find(HERE.server))?.name, "boris");
      assertEquals((await again.find("[::1]:1", "anna"))?.token, "c");
    }),
);

testWith(
  FILES,
  "TokenFile keeps what another client saves at the same moment",
  () =>
    withFolder(async (folder) => {
      const files = [1, 2].map(() => new TokenFile(`${folder}/logins.json`));
      const names = Array.from({ length: 20 }, (_, i) => `n${i}`);

      await Promise.all(names.map((name, i) => files[i % 2]!.save({ ...HERE, name, token: name })));

      const kept = await Promise.all(names.map((name) => files[0]!.find(HERE.server, name)));
      assertEquals(kept.map((each) => each?.token), names);
    }),
);

testWith(FILES, "TokenFile is for its owner's eyes only", () =>
  withFolder(async (folder) => {
    await new TokenFile(`${folder}/logins.json`).save({ ...HERE, name: "anna", token: "a" });

    const { mode } = await Deno.stat(`${folder}/logins.json`);
    if (Deno.build.os !== "windows") assertEquals(mode! & 0o777, 0o600);
  }));

testWith(
  FILES,
  "TokenFile.find() gives no token that has expired",
  () =>
    withFolder(async (folder) => {
      const file = new TokenFile(`${folder}/logins.json`);
      await file.save({ ...HERE, name: "anna", token: "a", expires: Date.now() - 1 });

      assertEquals(await file.find(HERE.server), undefined);
    }),
);

testWith(
  FILES,
  "TokenFile takes what is no token file for an empty one",
  () =>
    withFolder(async (folder) => {
      const path = `${folder}/logins.json`;
      for (const text of ["", "[", "null", '{"a":1}', '[null,1,{"server":"127.0.0.1:9090"}]']) {
        await Deno.writeTextFile(path, text);
        assertEquals(await new TokenFile(path).find(HERE.server), undefined);
      }

      await new TokenFile(path).save({ ...HERE, name: "anna", token: "a" });
      assertStringIncludes(await Deno.readTextFile(path), '"anna"');
    }),
);

Deno.test({
  name: "TokenFile keeps nothing, and asks nothing, without permission",
  permissions: { read: false, write: false },
  async fn() {
    for (const file of [new TokenFile("logins.json"), new TokenFile(undefined)]) {
      await file.save({ ...HERE, name: "anna", token: "a" });
      assertEquals(await file.find(HERE.server), undefined);
    }
  },
});
