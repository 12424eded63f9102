import { assertEquals, assertMatch } from "@std/assert";
import { serve } from "../../lib/server/server.ts";
import { echo } from "../../servers/echo.ts";
import { startChat } from "../support/chat_server.ts";
import { fencedBlocks } from "./fenced_blocks.ts";
import { PROCESSES, testWith } from "../support/permissions.ts";

const DOCUMENT = new URL("../../PROTOCOL.md", import.meta.url);

/** Whether python3 can be run here. */
async function hasPython(): Promise<boolean> {
  try {
    return (await new Deno.Command("python3", { args: ["--version"] }).output()).success;
  } catch {
    return false;
  }
}

function testWithPython(name: string, fn: () => Promise<void>): void {
  testWith(PROCESSES, name, async (t) => {
    if (await hasPython()) return await fn();
    await t.step({ name: "skipped: needs python3", ignore: true, fn });
  });
}

/** Starts a Python program of the document. */
function startPython(file: string, ...args: string[]): Deno.ChildProcess {
  const program = fencedBlocks(Deno.readTextFileSync(DOCUMENT))
    .find(({ info, body }) => info === "python" && body.startsWith(`# ${file}:`));
  return new Deno.Command("python3", {
    args: ["-c", program!.body, ...args],
    env: { PYTHONUTF8: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

testWithPython("PROTOCOL.md: the line client in Python talks to the echo server", async () => {
  await using server = serve(echo, { port: 0 });
  const client = startPython("line_client.py", "127.0.0.1", `${server.addr.port}`);

  const input = client.stdin.getWriter();
  await input.write(new TextEncoder().encode("hello\n\nGrüße, 世界 👋\n"));
  await input.close();
  const { code, stdout, stderr } = await client.output();

  assertEquals(new TextDecoder().decode(stderr), "");
  assertEquals([code, new TextDecoder().decode(stdout)], [0, "hello\n\nGrüße, 世界 👋\n"]);
});

testWithPython("PROTOCOL.md: the bot in Python registers, answers, and logs in again", async () => {
  await using chat = startChat();
  using anna = await chat.enter("Anna");
  const args = ["127.0.0.1", `${chat.server.addr.port}`, "Robo", "a long password"];

  for (let life = 1; life <= 2; life++) {
    const bot = startPython("bot.py", ...args);
    assertEquals((await anna.until("joined")).name, "Robo");
    await anna.say("Good morning, Robo");
    assertEquals((await anna.until("message")).text, "Hello, Anna!");
    await anna.tell("robo", "Grüße 👋");
    const { to, text } = await anna.until("message");
    assertEquals([to, text], ["Anna", "You told me: Grüße 👋"]);
    chat.server.end("kicked", (conn) => chat.members.nameOf(conn) === "Robo");
    await bot.stdin.close();
    const { code, stderr } = await bot.output();
    assertEquals(code, 1);
    assertMatch(new TextDecoder().decode(stderr), /'kicked'[^]*The server has gone/);
    await anna.until("left");
  }
});
