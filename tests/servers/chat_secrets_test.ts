import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { ChatClient, PASSWORD } from "../../tools/shared/chat_client.ts";
import { binary, disguises, encodings } from "../support/bytes.ts";
import { PROCESSES, testWith } from "../support/permissions.ts";
import { ServerProcess } from "../../tools/shared/server_process.ts";

const WRONG = "a wrong password";
const SAID = "what was said to all";
const TOLD = "what was told to one";

/** A life of two people: they register, mistype, talk, come back by token, and log out. Gives all tokens. */
async function live(port: number): Promise<string[]> {
  using anna = await ChatClient.connect(port);
  const tokens = [await anna.register("Anna")];
  await anna.send({ type: "say", ref: "1", text: SAID });
  await anna.send({ type: "tell", ref: "2", to: "Anna", text: TOLD });
  await anna.send({ type: "say", ref: "3", text: `${SAID}${SAID.repeat(300)}` });
  await anna.send(`{"type":"say","ref":"4","text":"${SAID}`);
  await anna.all();
  using phone = await ChatClient.connect(port);
  await phone.send({ type: "login", name: "Anna", password: PASSWORD });
  await phone.send({ type: "hello", version: 1, token: tokens[0]! });
  await phone.until("welcome");
  using other = await ChatClient.connect(port);
  await other.send({ type: "hello", version: 1 });
  await other.send({ type: "login", name: "Anna", password: WRONG });
  await other.send({ type: "login", name: PASSWORD, password: PASSWORD });
  await other.send({ type: "register", name: "Anna", password: PASSWORD });
  tokens.push(await other.logIn("Anna"));
  await other.send({ type: "logout" });
  await other.rest();
  // Ends it for what it cannot be a frame any more, with a secret in the header's place.
  await phone.conn.write(new TextEncoder().encode(PASSWORD));
  await phone.rest();
  return tokens;
}

testWith(
  PROCESSES,
  "The chat's files hold no password and no token, and its log no message",
  async () => {
    await using server = await ServerProcess.start("chat");
    const { data } = server;
    const tokens = await live(server.port);
    const read = (name: string) => binary(Deno.readFileSync(`${data}/${name}`));
    const running = ["chat.db", "chat.db-wal"].map(read);
    await server.stop();

    const database = [...running, read("chat.db")];
    const log = read("logs/chat.log");

    const raw = tokens.map((token) => Uint8Array.fromBase64(token, { alphabet: "base64url" }));
    const secrets = [PASSWORD, WRONG, ...tokens].flatMap(disguises).concat(raw.flatMap(encodings));
    for (const file of [...database, log]) {
      assertEquals(secrets.filter((secret) => file.includes(secret)), []);
    }
    const texts = [SAID, TOLD].flatMap(disguises);
    assertEquals(texts.filter((text) => log.includes(text)), []);
    assert(database.some((file) => file.includes(SAID) && file.includes("$argon2id$")));
    assertStringIncludes(log, "client disconnected");
    for (const by of ["registration", "password", "token"]) {
      assertMatch(log, new RegExp(` INFO chat client logged in conn=\\d name=Anna by=${by}\n`));
    }
    const refused = [...log.matchAll(/ WARN chat login refused conn=3 peer=\S+ (.+)\n/g)];
    assertEquals(refused.map(([, why]) => why), [
      "by=password code=bad_credentials",
      "by=password code=bad_credentials",
      "by=registration code=name_taken",
    ]);
  },
);
