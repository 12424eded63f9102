import { assert, assertEquals, assertLess } from "@std/assert";
import { FramedConn } from "../../../lib/conn/framed_conn.ts";
import { ChatClient, textsIn } from "../../../tools/shared/chat_client.ts";
import { PROCESSES, testWith } from "../../support/permissions.ts";
import { taskArgs } from "../../../tools/shared/server_process.ts";

const LIMIT = 160;
const CHECKOUT = new URL("../../../", import.meta.url);

/** The real server, with so few descriptors that clients can use them up. */
async function startPoorServer(name: string) {
  const data = Deno.makeTempDirSync();
  const child = new Deno.Command("sh", {
    args: [
      "-c",
      `ulimit -n ${LIMIT}; exec "$0" "$@"`,
      Deno.execPath(),
      ...taskArgs(name, data),
      "--data",
      data,
      "--port=0",
      "--max-per-address=0",
    ],
    cwd: CHECKOUT,
    stdin: "piped",
    stdout: "piped",
    env: { NO_COLOR: "1" },
  }).spawn();
  const output = child.stdout.pipeThrough(new TextDecoderStream())[Symbol.asyncIterator]();
  const input = child.stdin.getWriter();
  const command = (line: string) => input.write(new TextEncoder().encode(`${line}\n`));
  const port = Number(/:(\d+)/.exec((await output.next()).value ?? "")?.[1]);
  // What answers has loaded its last module: to load one, Deno needs a descriptor, or it panics.
  await command("status");
  await output.next();
  return {
    port,
    /** The lines of the log that tell that nobody could be accepted. */
    failures(): string[] {
      const log = Deno.readTextFileSync(`${data}/logs/${name}.log`);
      return log.split("\n").filter((line) => line.includes("accept failed"));
    },
    async [Symbol.asyncDispose]() {
      await command("stop");
      await input.close();
      while (!(await output.next()).done);
      assertEquals((await child.status).code, 0);
      Deno.removeSync(data, { recursive: true });
    },
  };
}

/** Waits until the log tells of it: another process writes it, every 200 ms, and says so to nobody. */
async function untilFailed(server: { failures(): string[] }): Promise<void> {
  for (let tries = 0; server.failures().length === 0; tries++) {
    assert(tries < 600, "nothing was logged in 60 s");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** More connections than there are descriptors: the operating system lets the last ones wait. */
function crowd(port: number): Promise<Deno.TcpConn[]> {
  return Promise.all(
    Array.from({ length: LIMIT }, () => Deno.connect({ hostname: "127.0.0.1", port })),
  );
}

testWith(
  PROCESSES,
  "Echo server out of descriptors serves whom it has, and later all",
  async () => {
    if (Deno.build.os === "windows") return;
    await using server = await startPoorServer("echo");
    using early = await FramedConn.connect({ port: server.port });
    assertEquals(await early.request("before"), "before");

    const others = await crowd(server.port);
    await untilFailed(server);
    for (let i = 0; i < 20; i++) assertEquals(await early.request(`during ${i}`), `during ${i}`);
    using late = await FramedConn.connect({ port: server.port });
    const answer = late.request("late");
    for (const conn of others) conn.close();

    assertEquals(await answer, "late");
    assertEquals(await early.request("after"), "after");
    assertLess(server.failures().length, 5);
  },
);

testWith(
  PROCESSES,
  "Chat server out of descriptors serves whom it has, and later all",
  async () => {
    if (Deno.build.os === "windows") return;
    await using server = await startPoorServer("chat");
    using anna = await ChatClient.connect(server.port);
    await anna.register("Anna");
    using boris = await ChatClient.connect(server.port);
    await boris.register("Boris");
    await anna.until("joined");

    const others = await crowd(server.port);
    await untilFailed(server);
    for (let i = 0; i < 5; i++) await anna.say(`during ${i}`);
    using carla = await ChatClient.connect(server.port);
    const welcome = carla.register("Carla");
    for (const conn of others) conn.close();
    await welcome;
    await anna.say("after");

    const texts = ["during 0", "during 1", "during 2", "during 3", "during 4", "after"];
    assertEquals(textsIn(await boris.all()), texts);
    assertEquals(textsIn(await carla.all()), texts);
    assertLess(server.failures().length, 5);
  },
);
