import { assertEquals } from "@std/assert";
import { startAuthentication } from "../../support/chat_server.ts";

Deno.test("What a stolen database holds lets nobody in: no hash is a token, and none a password", async () => {
  await using auth = startAuthentication();
  using anna = await auth.connect();
  const token = await anna.register("Anna");
  const [session] = auth.database.prepare("SELECT token_hash AS hash FROM sessions").all();
  const [account] = auth.database.prepare("SELECT hash FROM accounts").all();
  const tokenHash = session!.hash as Uint8Array;
  const phc = account!.hash as string;
  const attempts = [
    {
      type: "hello",
      version: 1,
      token: tokenHash.toBase64({ alphabet: "base64url", omitPadding: true }),
    },
    { type: "hello", version: 1, token: tokenHash.toHex() },
    { type: "hello", version: 1, token: phc },
    { type: "login", name: "Anna", password: phc },
    { type: "login", name: "Anna", password: phc.split("$").at(-1) },
  ];

  const answers = [];
  for (const attempt of attempts) {
    using thief = await auth.connect();
    await thief.ask({ type: "hello", version: 1 });
    await thief.ask(attempt);
    const last = attempt.type === "hello" ? await thief.next() : thief.received.at(-1);
    answers.push(last?.type === "error" ? last.code : last?.type);
  }

  assertEquals(answers, [
    ..."unauthorized unauthorized unauthorized".split(" "),
    ..."bad_credentials bad_credentials".split(" "),
  ]);
  using again = await auth.connect();
  assertEquals((await again.resume(token)).name, "Anna");
});
