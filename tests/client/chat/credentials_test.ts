import { assertEquals } from "@std/assert";
import {
  CredentialSource,
  type CredentialSourceOptions,
} from "../../../client/chat/credentials.ts";
import type { Refusal } from "../../../client/session/session_login.ts";
import { MemoryLogins } from "../session/scripted_server.ts";

const AT_LEAST_8 = "A password has at least 8 characters";
const TAKEN: Refusal = { code: "name_taken", message: "This name is taken" };
const ENDED: Refusal = { code: "unauthorized", message: "Log in", hadToken: true, name: "anna" };

function keptFor(...names: string[]): MemoryLogins {
  return new MemoryLogins(
    ...names.map((name) => ({ name, token: `t-${name}`, tls: false, data: "d1" })),
  );
}

/** A source whose person gives these answers; `shown` has every prompt and word. */
function open(
  answers: (string | boolean | null)[],
  { taken = [] as string[], ...options }: Partial<CredentialSourceOptions> & {
    taken?: string[];
  } = {},
) {
  const shown: string[] = [];
  const ask = (prompt: string) => {
    shown.push(prompt);
    return Promise.resolve(answers.shift() as never);
  };
  const source = new CredentialSource({
    register: false,
    person: { question: ask, secret: ask, confirm: ask },
    findServer: () => Promise.resolve(),
    checkName: (name) => Promise.resolve(taken.includes(name) ? TAKEN : null),
    tell: (text) => shown.push(text),
    ...options,
  });
  return { source, shown };
}

Deno.test("CredentialSource.next() asks a newcomer for a name, and twice for a password", async () => {
  const { source, shown } = open([
    ...["a!b", " anna", true, "short", "password1", "password2", "password3", "password3"],
  ]);

  assertEquals(await source.next(), { name: "anna", password: "password3", register: true });

  assertEquals(shown.map((text) => text.replace(/A name is made of.*/, "(reason)")), [
    "Name: ",
    "(reason)",
    "Name: ",
    "Are you new here?",
    AT_LEAST_8,
    "Choose a password: ",
    AT_LEAST_8,
    "Choose a password: ",
    "Once more: ",
    "These were two different passwords",
    "Choose a password: ",
    "Once more: ",
  ]);
});

Deno.test("CredentialSource.next() says that a name is taken before a password is typed", async () => {
  const { source, shown } = open(["anna", true, "anne", true, "password", "password"], {
    taken: ["anna"],
  });

  assertEquals((await source.next())?.name, "anne");

  assertEquals(shown.slice(0, 6), [
    "Name: ",
    "Are you new here?",
    "This name is taken",
    "Name: ",
    "Are you new here?",
    AT_LEAST_8,
  ]);
});

for (
  const [what, answers] of [
    ["at the name", [null]],
    ["at the password", ["anna", false, null]],
    ["at the second password", ["anna", true, "password", null]],
  ] as const
) {
  Deno.test(`CredentialSource.next() gives up where the input ends ${what}`, async () => {
    assertEquals(await open([...answers]).source.next(), null);
  });
}

Deno.test("CredentialSource.next() asks before it uses a kept login, whoever types", async () => {
  const logins = keptFor("boris", "anna");

  const yes = open(["", true], { logins });
  assertEquals(await yes.source.next(), { name: "anna" });
  assertEquals(yes.shown, ["Name [anna] (kept too: boris): ", "Use the login of anna kept here?"]);

  const no = open(["Boris", false, "carl", false, "pw"], { logins });
  assertEquals(await no.source.next(), { name: "carl", password: "pw", register: false });
  assertEquals(no.shown.slice(1, 3), ["Use the login of boris kept here?", "Name [anna]: "]);
});

Deno.test("CredentialSource.next() does not offer a login again that was declined", async () => {
  const { source, shown } = open(["", false, "", "ANNA", false, "pw"], { logins: keptFor("anna") });

  assertEquals(await source.next(), { name: "ANNA", password: "pw", register: false });
  assertEquals(shown, [
    "Name [anna]: ",
    "Use the login of anna kept here?",
    "Name: ",
    "A name cannot be empty",
    "Name: ",
    "Are you new here?",
    "Password: ",
  ]);
});

Deno.test("CredentialSource.next() looks for the server before it asks, and not for a kept login", async () => {
  const events: string[] = [];
  const findServer = () => Promise.resolve(void events.push("looked"));
  const asking = open(["anna", false, "pw", "pw2"], { findServer });
  const knowing = open([], { findServer, logins: keptFor("anna"), name: "anna" });

  await knowing.source.next();
  assertEquals(events, []);
  await asking.source.next();
  await asking.source.next({ code: "weak_password", message: "Too short" });
  assertEquals([events, asking.shown[0]], [["looked"], "Name: "]);
});

Deno.test("CredentialSource.next() uses the kept login of --name without a question", async () => {
  const { source, shown } = open([], { logins: keptFor("anna"), name: "anna" });

  assertEquals([await source.next(), shown], [{ name: "anna" }, []]);
});

for (
  const [what, taken, answers, credentials, shown] of [
    ["asks for its password where the account is there", ["anna"], [true, "pw"], {
      password: "pw",
      register: false,
    }, ["Log in", "Log in again as anna?", "Password: "]],
    ["makes the account anew where it is gone", [], [true, "password", "password"], {
      password: "password",
      register: true,
    }, [
      "Log in",
      "Make a new account for anna?",
      AT_LEAST_8,
      "Choose a password: ",
      "Once more: ",
    ]],
    ["asks for no password of an account that is gone", [], [false, null], null, [
      "Log in",
      "Make a new account for anna?",
      "Name: ",
    ]],
    ["asks where it is not known", undefined, [false, "pw"], { password: "pw", register: false }, [
      "Log in",
      "Make a new account for anna?",
      "Password: ",
    ]],
  ] as [string, string[] | undefined, (string | boolean | null)[], object | null, string[]][]
) {
  Deno.test(`CredentialSource.next() after a login has ended ${what}`, async () => {
    const checkName = (name: string) =>
      Promise.resolve(taken && (taken.includes(name) ? TAKEN : null));
    const opened = open([...answers], { name: "ANNA", checkName, logins: keptFor("anna") });
    await opened.source.next();

    const given = await opened.source.next(ENDED);

    assertEquals(given, credentials && { name: "anna", ...credentials });
    assertEquals(opened.shown, shown);
  });
}

Deno.test("CredentialSource.next() asks for the password where the token is not sent", async () => {
  const { source, shown } = open([false, "pw"], { logins: keptFor("anna"), name: "anna" });
  await source.next();

  const given = await source.next({ code: "not_sent", message: "Another server" });

  assertEquals(given, { name: "anna", password: "pw", register: false });
  assertEquals(shown, ["Another server", "Are you new here?", "Password: "]);
});

Deno.test("CredentialSource.next() asks for the password alone when that was the fault", async () => {
  const { source, shown } = open([
    ...["anna", true, "password", "password", "better one", "better one"],
  ]);
  await source.next();
  shown.length = 0;

  await source.next({ code: "weak_password", message: "Too short", retryAfterMs: 1500 });

  assertEquals(shown, ["Too short (in 2 s)", AT_LEAST_8, "Choose a password: ", "Once more: "]);
});

Deno.test("CredentialSource.next() lets a person change the name after a wrong one", async () => {
  const { source } = open(["ana", false, "pw", "anna", false, "pw"]);
  await source.next();

  const credentials = await source.next({ code: "bad_credentials", message: "Wrong" });

  assertEquals(credentials, { name: "anna", password: "pw", register: false });
});

for (const code of ["name_taken", "bad_name"] as const) {
  Deno.test(`CredentialSource.next() does not offer a name after ${code}`, async () => {
    const { source, shown } = open(["anna", true, "password", "password", null]);
    await source.next();

    await source.next({ code, message: "Not this one" });

    assertEquals(shown.slice(-2), ["Not this one", "Name: "]);
  });
}

Deno.test("CredentialSource.next() refuses a password too long for a server", async () => {
  const { source, shown } = open(["anna", false, "x".repeat(257), "pw"]);

  await source.next();

  assertEquals(shown.at(-2), "A password has at most 256 characters");
});

function openBot(options: Partial<CredentialSourceOptions>) {
  const readPassword = () => Promise.resolve("from the file");
  return open([], { person: undefined, readPassword, ...options });
}

Deno.test("CredentialSource.next() reads a bot's password from its file", async () => {
  const { source } = openBot({ name: "bot", register: true });

  assertEquals(await source.next(), { name: "bot", password: "from the file", register: true });
});

Deno.test("CredentialSource.next() prefers a bot's kept login, the last one without --name", async () => {
  const { source } = openBot({ logins: keptFor("other", "bot") });

  assertEquals(await source.next(), { name: "bot" });
});

for (
  const [refusal, isSent, shown] of [
    [{ code: "bad_credentials", message: "Wrong" }, false, ["Wrong"]],
    [{ code: "unauthorized", message: "Log in", hadToken: false }, false, ["Log in"]],
    [{ code: "not_sent", message: "Another server" }, false, [
      "Another server",
      "Cannot log in: --no-session sends the password anyway",
    ]],
    [ENDED, true, ["Log in"]],
    [{ code: "lost", message: "Lost" }, true, ["Lost"]],
  ] as [Refusal, boolean, string[]][]
) {
  Deno.test(`CredentialSource.next() ${isSent ? "sends" : "does not send"} a file's password after ${refusal.code}, ${refusal.hadToken ?? "no token"}`, async () => {
    const opened = openBot({ name: "anna" });
    await opened.source.next();

    assertEquals(await opened.source.next(refusal) !== null, isSent);
    assertEquals(opened.shown, shown);
  });
}

Deno.test("CredentialSource.next() says what a pipe has to give", async () => {
  const nameless = openBot({});
  assertEquals(await nameless.source.next(), null);
  assertEquals(nameless.shown, ["Cannot log in: give --name, or start it at a terminal"]);

  const { source, shown } = openBot({ name: "bot", readPassword: undefined });
  assertEquals(await source.next(), null);
  assertEquals(shown, ["Cannot log in: give --password-file, or start it at a terminal"]);
});
