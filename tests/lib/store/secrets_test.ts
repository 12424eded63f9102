import { assert, assertEquals } from "@std/assert";
import { AccountStore } from "../../../lib/store/account_store.ts";
import { AUTH_MIGRATIONS } from "../../../lib/store/migrations.ts";
import { openDatabase } from "../../../lib/store/database.ts";
import { SessionStore } from "../../../lib/store/session_store.ts";
import { stubClock } from "../../support/turns.ts";
import { binary, disguises, encodings } from "../../support/bytes.ts";
import { testInFolder } from "../../support/permissions.ts";

const CHEAP = { memoryKiB: 8, passes: 1, parallelism: 1 };

testInFolder("A database holds no password and no token, in any encoding", async (folder) => {
  const path = `${folder}/chat.db`;
  const secrets = ["pässwörd-of-anna", "password~of~bob?", "a wrong password"];
  using database = openDatabase(path, { migrations: AUTH_MIGRATIONS });
  using clock = stubClock();
  const sessions = new SessionStore(database);
  const accounts = new AccountStore(database, sessions, { params: CHEAP });
  const results = [
    await accounts.register("Anna", secrets[0]!),
    await accounts.register("Bob", secrets[1]!),
    await accounts.authenticate("Bob", secrets[1]!, "10.0.0.2"),
  ];
  for (const password of secrets) await accounts.authenticate("Anna", password, "10.0.0.1");
  const tokens = results.map((result) => "token" in result ? result.token : "");
  clock.ms += 3_600_000;
  for (const token of tokens) assert(sessions.resume(token));
  sessions.revoke(tokens[0]!);
  const raw = tokens.map((token) => Uint8Array.fromBase64(token, { alphabet: "base64url" }));

  const files = [path, `${path}-wal`].map((file) => binary(Deno.readFileSync(file)));
  database.close();
  files.push(binary(Deno.readFileSync(path)));

  assert(files.some((file) => file.includes("$argon2id$")));
  const forbidden = [
    ...[...secrets, ...tokens].flatMap(disguises),
    ...raw.flatMap(encodings),
  ];
  for (const file of files) {
    assertEquals(forbidden.filter((secret) => file.includes(secret)), []);
  }
});
