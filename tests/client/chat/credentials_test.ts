import { assertEquals } from "@std/assert";
import {
  CredentialSource,
  type CredentialSourceOptions,
} from "../../../client/chat/credentials.ts";
import { type KeptToken, TokenFile } from "../../../client/chat/token_file.ts";

/** Tokens in memory. */
class Tokens extends TokenFile {
  kept: KeptToken[];

  constructor(...names: string[]) {
    super(undefined);
    this.kept = names.map((name) => ({ server: "s:1", name, token: `t-${name}`, expires: 1 }));
  }

  override find(server: string, name?: string) {
    const found = this.kept.findLast((token) =>
      token.server === server && (name ?? token.name) === token.name
    );
    return Promise.resolve(found);
  }

  override remove(old: string) {
    this.kept = this.kept.filter(({ token }) => token !== old);
    return Promise.resolve();
  }
}

/** A source whose person gives these answers; `shown` has every prompt and word. */
function open(
  answers: (string | boolean | null)[],
  options: Partial<CredentialSourceOptions> = {},
) {
  const shown: string[] = [];
  const ask = (prompt: string) => {
    shown.push(prompt);
    return Promise.resolve(answers.shift() as never);
  };
  const source = new CredentialSource({
    server: "s:1",
    tokens: new Tokens(),
    register: false,
    person: { question: ask, secret: ask, confirm: ask },
    tell: (text) => shown.push(text),
    ...options,
  });
  return { source, shown };
}

Deno.test("CredentialSource.next() asks a newcomer for a name, and twice for a password", async () => {
  const { source, shown } = open([
    ...["a.b", " anna", true, "short", "password1", "password2", "password3", "password3"],
  ]);

  assertEquals(await source.next(), { name: "anna", password: "password3", register: true });

  assertEquals(shown, [
    "Name: ",
    "A name is made of letters, digits, _ and -; U+002E is neither",
    "Name: ",
    "Are you new here?",
    "Choose a password: ",
    "A password has at least 8 characters",
    "Choose a password: ",
    "Once more: ",
    "These were two different passwords",
    "Choose a password: ",
    "Once more: ",
  ]);
});

Deno.test("CredentialSource.next() gives up where the input ends, also at the second password", async () => {
  const { source, shown } = open(["anna", true, "password", null]);

  assertEquals(await source.next(), null);
  assertEquals(shown.at(-1), "Once more: ");
});

Deno.test("CredentialSource.next() proposes the last name, and takes its token", async () => {
  const { source, shown } = open([""], { tokens: new Tokens("boris", "anna") });

  assertEquals(await source.next(), { name: "anna", token: "t-anna" });
  assertEquals(shown, ["Name [anna]: "]);
});

Deno.test("CredentialSource.next() asks another name for its password", async () => {
  const { source } = open(["boris", false, "pw"], { tokens: new Tokens("anna") });

  assertEquals(await source.next(), { name: "boris", password: "pw", register: false });
});

Deno.test("CredentialSource.next() falls back to the password, and forgets the token", async () => {
  const tokens = new Tokens("anna");
  const { source, shown } = open([false, "pw"], { tokens, name: "anna" });
  await source.next();

  const refusal = { code: "unauthorized", message: "Log in", token: "t-anna" } as const;
  assertEquals(await source.next(refusal), { name: "anna", password: "pw", register: false });

  assertEquals(tokens.kept, []);
  assertEquals(shown, ["Log in", "Make a new account for anna?", "Password: "]);
});

Deno.test("CredentialSource.next() keeps a token that was refused for another reason", async () => {
  const tokens = new Tokens("anna");
  const { source } = open([false, "pw"], { tokens, name: "anna" });
  await source.next();

  await source.next({ code: "unavailable", message: "Try later", token: "t-anna" });

  assertEquals(tokens.kept.map(({ token }) => token), ["t-anna"]);
});

Deno.test("CredentialSource.next() asks for the password alone when that was the fault", async () => {
  const { source, shown } = open([
    "anna",
    true,
    "password",
    "password",
    "better one",
    "better one",
  ]);
  await source.next();
  shown.length = 0;

  await source.next({ code: "weak_password", message: "Too short", retryAfterMs: 1500 });

  assertEquals(shown, ["Too short (in 2 s)", "Choose a password: ", "Once more: "]);
});

Deno.test("CredentialSource.next() lets a person change the name after a wrong one", async () => {
  const { source } = open(["ana", false, "pw", "anna", false, "pw"]);
  await source.next();

  const credentials = await source.next({ code: "bad_credentials", message: "Wrong" });

  assertEquals(credentials, { name: "anna", password: "pw", register: false });
});

Deno.test("CredentialSource.next() gives up when the input ends", async () => {
  assertEquals(await open([null]).source.next(), null);
  assertEquals(await open(["anna", false, null]).source.next(), null);
});

Deno.test("CredentialSource.next() refuses a password too long for a server", async () => {
  const { source, shown } = open(["anna", false, "x".repeat(257), "pw"]);

  await source.next();

  assertEquals(shown.at(-2), "A password has at most 256 characters");
});

function openBot(options: Partial<CredentialSourceOptions>) {
  const shown: string[] = [];
  const readPassword = () => Promise.resolve("from the file");
  const tell = (text: string) => shown.push(text);
  const tokens = new Tokens();
  const base = { server: "s:1", register: false };
  return {
    source: new CredentialSource({ ...base, tokens, readPassword, tell, ...options }),
    shown,
  };
}

Deno.test("CredentialSource.next() reads a bot's password from its file", async () => {
  const { source } = openBot({ name: "bot", register: true });

  assertEquals(await source.next(), { name: "bot", password: "from the file", register: true });
});

Deno.test("CredentialSource.next() prefers a bot's token, and the last name's without --name", async () => {
  const { source } = openBot({ tokens: new Tokens("bot") });

  assertEquals(await source.next(), { name: "bot", token: "t-bot" });
});

Deno.test("CredentialSource.next() does not offer a file's password again to who refused it", async () => {
  const { source, shown } = openBot({ name: "bot" });
  await source.next();

  assertEquals(await source.next({ code: "bad_credentials", message: "Wrong" }), null);
  assertEquals(shown, ["Wrong"]);
});

Deno.test("CredentialSource.next() says what a pipe has to give", async () => {
  const nameless = openBot({});
  assertEquals(await nameless.source.next(), null);
  assertEquals(nameless.shown, ["Cannot log in: give --name, or start it at a terminal"]);

  const tokens = new Tokens();
  const shown: string[] = [];
  const source = new CredentialSource({
    ...{ server: "s:1", tokens, name: "bot", register: false },
    tell: (text) => shown.push(text),
  });
  assertEquals(await source.next(), null);
  assertEquals(shown, ["Cannot log in: give --password-file, or start it at a terminal"]);
});
