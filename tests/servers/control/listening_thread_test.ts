import { assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { FramedConn } from "../../../lib/conn/framed_conn.ts";
import { parseServerLine } from "../../../servers/control/config.ts";
import type { ServerConfig } from "../../../servers/control/config.ts";
import { ListeningThread } from "../../../servers/control/listening_thread.ts";
import { FILES, testInFolder, testWith } from "../../support/permissions.ts";

const module = new URL("./test_worker.ts", import.meta.url);
const BUSY = "The listening thread is busy and has not answered yet";

function configOf(...args: string[]): ServerConfig {
  const parsed = parseServerLine(args);
  if ("help" in parsed) throw new Error("Cannot give a configuration: help was asked for");
  return parsed.config;
}

async function startTestThread(answerMs = 5000): Promise<ListeningThread> {
  const thread = new ListeningThread({ module, answerMs });
  await thread.start(configOf("echo"));
  return thread;
}

testInFolder("ListeningThread serves, answers, and ends when it is told to stop", async (data) => {
  using thread = new ListeningThread();

  const { port } = await thread.start(configOf("echo", "--port=0", "--data", data));
  using conn = await FramedConn.connect({ port });
  assertEquals(await conn.request("a"), "a");
  assertStringIncludes(await thread.call("status"), `127.0.0.1:${port}`);
  const stopped = thread.stop();
  assertEquals(await conn.receive(), "Goodbye: the server stops");
  conn.close();

  await stopped;
  await thread.finished;
  const log = await Deno.readTextFile(`${data}/logs/echo.log`);
  assertMatch(log, / stopped\n$/);
});

testInFolder("ListeningThread.stop() before the server listens waits for it", async (data) => {
  using thread = new ListeningThread();

  const listening = thread.start(configOf("echo", "--port=0", "--data", data));
  const stopped = thread.stop();

  assertEquals((await listening).hostname, "127.0.0.1");
  await stopped;
  await thread.finished;
});

testWith(FILES, "ListeningThread.start() rejects with the reason why it cannot", async () => {
  const folder = await Deno.makeTempDir();
  using thread = new ListeningThread();

  await assertRejects(
    () => thread.start(configOf("echo", "--log", folder)),
    Error,
    `Cannot open the log file ${folder}: Is a directory`,
  );
  await assertRejects(() => thread.finished, Error, "Cannot open the log file");
  await Deno.remove(folder);
});

testWith(FILES, "ListeningThread.call() gives the answers to their askers", async () => {
  using thread = await startTestThread();

  assertEquals(
    await Promise.all(["a", "b"].map((text) => thread.call("echo", text))),
    ["a", "b"],
  );
});

testWith(FILES, "ListeningThread.call() says so when the thread does not answer", async () => {
  using thread = await startTestThread(10);

  assertEquals(await thread.call("never answered"), BUSY);
});

testWith(
  FILES,
  "ListeningThread.stop() ends a thread that does not answer by force, and says so",
  async () => {
    using thread = await startTestThread(10);

    // This thread does not know the command that it is given.
    await thread.stop();

    await assertRejects(
      () => thread.finished,
      Error,
      "The listening thread did not answer: it was ended by force",
    );
  },
);

testWith(FILES, "ListeningThread.onProgress gets what a command waits for", async () => {
  using thread = await startTestThread();
  const told = new Promise((resolve) => thread.onProgress = resolve);

  thread.call("tell", "Waiting");

  assertEquals(await told, "Waiting");
});

testWith(FILES, "ListeningThread.finished rejects with what the thread died of", async () => {
  using thread = await startTestThread();

  thread.call("fail", "The server crashed: boom");

  await assertRejects(() => thread.finished, Error, "The server crashed: boom");
});

testWith(FILES, "ListeningThread ends commands under way with it", async () => {
  const thread = await startTestThread();
  const answer = thread.call("never answered");

  thread[Symbol.dispose]();

  assertEquals(await answer, "Stopped");
  await thread.finished;
});

/** Lets a client say one word to a real server whose conversations go wrong; gives the log at the end of `body`. */
async function sayTo(
  word: string,
  body: (thread: ListeningThread, conn: FramedConn) => Promise<void>,
  answerMs = 60_000,
): Promise<string> {
  const data = await Deno.makeTempDir();
  const faulty = new URL("./faulty_worker.ts", import.meta.url);
  const logPath = `${data}/logs/echo.log`;
  {
    using thread = new ListeningThread({ module: faulty, answerMs });
    const { port } = await thread.start(configOf("echo", "--port=0", "--data", data));
    using conn = await FramedConn.connect({ port });
    await conn.send(word);
    await conn.flush();
    await body(thread, conn);
  }
  const log = await Deno.readTextFile(logPath);
  await Deno.remove(data, { recursive: true });
  return log;
}

for (
  const [word, message] of [
    ["throw", "thrown by a timer"],
    ["reject", "rejected by nobody's promise"],
  ] as const
) {
  testWith(FILES, `A server that dies of an uncaught ${word} is reported and logged`, async () => {
    const log = await sayTo(word, async (thread) => {
      await assertRejects(() => thread.finished, Error, `The server crashed: ${message}`);
    });

    assertMatch(
      log,
      new RegExp(`client connected[^]* ERROR echo crashed error="Error: ${message}`),
    );
  });
}

testWith(
  FILES,
  "A conversation that does not let go of its thread stops neither status nor stop",
  async () => {
    await sayTo("hang", async (thread) => {
      while (await thread.call("status") !== BUSY);
      await thread.stop();
      await assertRejects(() => thread.finished, Error, "ended by force");
    }, 100);
  },
);

testWith(FILES, "A conversation that fails by itself leaves the server alive", async () => {
  const log = await sayTo("fail", async (thread, conn) => {
    assertEquals(await conn.receive(), "Goodbye: the server could not go on, try again");
    conn.close();
    assertStringIncludes(await thread.call("status"), "uptime");
    await thread.stop();
    await thread.finished;
  });

  assertMatch(
    log,
    / ERROR echo client disconnected .* reason=failed error="Error: failed by itself/,
  );
});
