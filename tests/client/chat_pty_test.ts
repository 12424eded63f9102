import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { serve } from "../../lib/server/server.ts";
import { PASSWORD } from "../../tools/shared/chat_client.ts";
import { startChat } from "../support/chat_server.ts";
import { onTerminal, onTerminalWith, ptyTest, STOP_OUTPUT } from "../support/pty.ts";
import { TestMember } from "./session/test_member.ts";

const CLIENT = new URL("../../client/chat.ts", import.meta.url).href;
const ALONE = ["run", "--no-prompt", "--no-config", "--quiet", "--allow-net", CLIENT];

ptyTest("client/chat.ts registers a newcomer, completes, talks and leaves", async () => {
  await using chat = startChat();
  await chat.members.accounts.register("boris", PASSWORD);
  await using boris = new TestMember(chat.server.addr.port, "boris");
  await boris.session.entered;

  const shown = await onTerminal(
    ALONE,
    ["Host [", "\r"],
    ["Port [", `${chat.server.addr.port}\r`],
    ["Name: ", "anna\r"],
    ["new here?", "y\r"],
    ["Choose a password: ", "tr0ub4dor&3\r"],
    ["Once more: ", "tr0ub4dor&3\r"],
    ["/help shows", "/wh\t\r"],
    ["Here: ", "/msg bo\tpsst\r"],
    ["psst", "/tell BORIS again\r"],
    ["(to ", "half"],
    ["half", () => void boris.session.say("hi anna")],
    ["\x07", " typed\r"],
    ["half typed", "/quit\r"],
  );

  assertMatch(shown, /code 0 sane\n$/);
  assert(!shown.includes("tr0ub4dor"));
  // deno-lint-ignore no-control-regex
  assertStringIncludes(shown.replace(/\x1b\[[\d;]*m/g, ""), "(to boris): again");
  assertEquals(boris.told, ["1 psst", "2 again", "3 hi anna", "4 half typed"]);
});

ptyTest("client/chat.ts sends and ends at Ctrl-C while its terminal takes no output", async () => {
  await using chat = startChat();
  await chat.members.accounts.register("boris", PASSWORD);
  await using boris = new TestMember(chat.server.addr.port, "boris");
  await boris.session.entered;

  const shown = await onTerminal(
    [...ALONE, "--host", "127.0.0.1", "--port", `${chat.server.addr.port}`, ...KIM],
    ["Choose a password: ", "tr0ub4dor&3\r"],
    ["Once more: ", "tr0ub4dor&3\r"],
    ["/help shows", STOP_OUTPUT],
    ["", "first\r"],
    ["", () => boris.toldCount(1)],
    ["", "last\r"],
    ["", () => boris.toldCount(2)],
    ["", "\x03"],
  );

  assertMatch(shown, /code 130 sane\n$/);
});

ptyTest("client/chat.ts asks for nothing where the server is one of another kind", async () => {
  await using server = serve(async (conn) => {
    for await (const text of conn) await conn.send(text);
  }, { port: 0 });

  const shown = await onTerminal(
    [...ALONE, "--host", "127.0.0.1", "--port", `${server.addr.port}`],
    ["This is not a chat or authentication server", ""],
  );

  assertEquals(/Name: |Password: |new here/.test(shown), false);
  assertMatch(shown, /code 1 sane\n$/);
});

ptyTest("client/chat.ts writes no colours where NO_COLOR is set", async () => {
  await using chat = startChat();
  await chat.members.accounts.register("anna", PASSWORD);

  const shown = await onTerminalWith(
    { NO_COLOR: "1" },
    [...ALONE, "--host", "127.0.0.1", "--port", `${chat.server.addr.port}`, "--name", "anna"],
    ["new here?", "n\r"],
    ["Password: ", `${PASSWORD}\r`],
    ["/help shows", "/who\r"],
    ["Here: ", "/quit\r"],
  );

  assertMatch(shown, /code 0 sane\n$/);
  // deno-lint-ignore no-control-regex
  assert(!/\x1b\[[\d;]*m/.test(shown));
});

const KIM = ["--name", "kim", "--register"];

ptyTest("client/chat.ts shows its prompt before the first connection", async () => {
  await using chat = startChat();
  await chat.server.pause();

  const shown = await onTerminal(
    [...ALONE, "--host", "127.0.0.1", "--port", `${chat.server.addr.port}`, ...KIM],
    ["Connection refused; the login follows when the server answers", ""],
    ["Choose a password: ", "tr0ub4dor&3\r"],
    ["Once more: ", "tr0ub4dor&3\r"],
    ["trying again until the server answers", ""],
    ["(waiting) > ", "hello\r"],
    ["waits to be sent: hello", "/quit\r"],
  );

  assertStringIncludes(shown, "Not sent: 1 message");
  assertMatch(shown, /code 1 sane\n$/);
  assert(!shown.includes("tr0ub4dor"));
});

ptyTest("client/chat.ts publishes nothing that was typed while it asked", async () => {
  await using chat = startChat();
  await chat.server.pause();
  const thrice = "tr0ub4dor&3\r".repeat(3);

  const shown = await onTerminal(
    [...ALONE, "--host", "127.0.0.1", "--port", `${chat.server.addr.port}`, ...KIM],
    ["Choose a password: ", thrice],
    ["(waiting) > ", "hello\r"],
    ["waits to be sent: hello", () => chat.server.resume()],
    ["kim> ", ""],
    [": hello", "\x04"],
  );

  assertMatch(shown, /code 0 sane\n$/);
  assert(!shown.includes("tr0ub4dor"));
  assertEquals(chat.textsFor("kim"), ["hello"]);
});

ptyTest("client/chat.ts publishes nothing that was typed while it asked again", async () => {
  await using chat = startChat();
  await chat.members.accounts.register("anna", PASSWORD);

  const shown = await onTerminal(
    [...ALONE, "--host", "127.0.0.1", "--port", `${chat.server.addr.port}`, "--name", "anna"],
    ["new here?", "n\r"],
    ["Password: ", "not-this-one\r"],
    ["is wrong", ""],
    ["Name [anna]: ", "\r"],
    ["new here?", "n\r"],
    ["Password: ", `${PASSWORD}\r${PASSWORD}\r`],
    ["anna> ", "hello\r"],
    [": hello", "\x04"],
  );

  assertMatch(shown, /code 0 sane\n$/);
  assertEquals(chat.textsFor("anna"), ["hello"]);
});

ptyTest("client/chat.ts ends at Ctrl-D while it waits for its first connection", async () => {
  await using chat = startChat();
  await chat.server.pause();

  const shown = await onTerminal(
    [...ALONE, "--host", "127.0.0.1", "--port", `${chat.server.addr.port}`, "--name", "anna"],
    ["new here?", "n\r"],
    ["Password: ", `${PASSWORD}\r`],
    ["(waiting) > ", "\x04"],
  );

  assertMatch(shown, /code 0 sane\n$/);
});

ptyTest("client/chat.ts sends no pasted block without a yes", async () => {
  await using chat = startChat();
  await chat.members.accounts.register("anna", PASSWORD);

  const shown = await onTerminal(
    [...ALONE, "--host", "127.0.0.1", "--port", `${chat.server.addr.port}`, "--name", "anna"],
    ["new here?", "n\r"],
    ["Password: ", `${PASSWORD}\r`],
    ["anna> ", "\x1b[200~one\rtwo\r\x1b[201~"],
    ["[y/N]", "n\r"],
    ["anna> ", "\x15\x1b[200~three\rfour\r\x1b[201~"],
    ["[y/N]", "y\r"],
    ["four", "\x03"],
  );

  assertMatch(shown, /code 130 sane\n$/);
  assertEquals(chat.textsFor("anna"), ["three", "four"]);
});

ptyTest("client/chat.ts shows that it waits, and sends what was typed meanwhile", async () => {
  const goodbye = () => JSON.stringify({ type: "bye", reason: "paused", retryAfterMs: 5 });
  await using chat = startChat({ goodbye });
  await chat.members.accounts.register("anna", PASSWORD);

  const shown = await onTerminal(
    [...ALONE, "--host", "127.0.0.1", "--port", `${chat.server.addr.port}`, "--name", "anna"],
    ["new here?", "n\r"],
    ["Password: ", `${PASSWORD}\r`],
    ["anna> ", () => chat.server.pause()],
    ["(waiting)", "typed meanwhile\r"],
    ["waits to be sent", () => chat.server.resume()],
    [": typed meanwhile", ""],
    ["Connected again", ""],
    [": typed meanwhile", "\x04"],
  );

  assertStringIncludes(shown, "The server pauses");
  assertMatch(shown, /code 0 sane\n$/);
  assertEquals(chat.textsFor("anna").length, 1);
});

ptyTest("client/chat.ts shows what was on its way when the connection broke", async () => {
  let says = 0;
  await using server = serve(async (conn) => {
    const reply = (message: unknown) => void conn.send(JSON.stringify(message));
    for await (const text of conn) {
      const { type, ref, token } = JSON.parse(text);
      if (type === "hello") reply({ type, version: 1, server: "chat" });
      if (type === "login" || token) {
        reply({ type: "welcome", name: "anna", token: "t", expires: 9, last: 0 });
      }
      if (type === "say" && ++says === 1) return;
      if (type === "say") reply({ type: "said", ref, id: 1 });
      if (type === "ping") reply({ type: "pong" });
    }
  }, { port: 0 });

  const shown = await onTerminal(
    [...ALONE, "--host", "127.0.0.1", "--port", `${server.addr.port}`, "--name", "anna"],
    ["new here?", "n\r"],
    ["Password: ", `${PASSWORD}\r`],
    ["anna> ", "lost\r"],
    ["waits to be sent: lost", ""],
    ["Connected again", ""],
    [": lost", "/quit\r"],
  );

  assertMatch(shown, /code 0 sane\n$/);
});

ptyTest(
  "client/chat.ts keeps a line that a question interrupts, and a name's spelling",
  async () => {
    const goodbye = () => JSON.stringify({ type: "bye", reason: "paused", retryAfterMs: 5 });
    await using chat = startChat({ goodbye });
    await chat.members.accounts.register("Анна", PASSWORD);
    const clearUsers = async () => {
      await chat.server.pause();
      chat.members.clear();
      await chat.server.resume();
    };

    const shown = await onTerminal(
      [...ALONE, "--host", "127.0.0.1", "--port", `${chat.server.addr.port}`, "--name", "анна"],
      ["new here?", "n\r"],
      ["Password: ", `${PASSWORD}\r`],
      ["/help shows", "half a li"],
      ["half a li", clearUsers],
      ["Make a new account for Анна?", "ne\r"],
      ["Make a new account for Анна?", "y\r"],
      ["Choose a password: ", "tr0ub4dor&3\r"],
      ["Once more: ", "tr0ub4dor&3\r"],
      ["Анна> half a line", "\r"],
      [": half a line", "exit\r"],
    );

    assertMatch(shown, /code 0 sane\n$/);
    assertEquals(chat.textsFor("Анна"), ["half a line"]);
  },
);

ptyTest("client/chat.ts says that a name is taken before a password is chosen", async () => {
  await using chat = startChat();
  await chat.members.accounts.register("anna", PASSWORD);

  const shown = await onTerminal(
    [...ALONE, "--host", "127.0.0.1", "--port", `${chat.server.addr.port}`],
    ["Name: ", "Anna\r"],
    ["new here?", "y\r"],
    ["This name is taken", "admin\r"],
    ["new here?", "y\r"],
    ["This name is reserved", ""],
    ["Name: ", "kim\r"],
    ["new here?", "y\r"],
    ["at least 8 characters", "tr0ub4dor&3\r"],
    ["Once more: ", "tr0ub4dor&3\r"],
    ["/help shows the commands", "exit\r"],
  );

  assertMatch(shown, /code 0 sane\n$/);
  assertEquals(chat.textsFor("kim"), []);
});
