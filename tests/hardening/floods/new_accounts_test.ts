import { assertEquals } from "@std/assert";
import { stub } from "@std/testing/mock";
import { FramedConn } from "../../../lib/conn/framed_conn.ts";
import { LogFile } from "../../../lib/log/log_file.ts";
import { memoryConnPair } from "../../../lib/conn/memory_conn.ts";
import { openAuthentication } from "../../../servers/authentication.ts";
import { openChat } from "../../../servers/chat.ts";
import { parseServerLine } from "../../../servers/control/config.ts";
import { ChatClient, PASSWORD } from "../../../tools/shared/chat_client.ts";
import { FILES, testWith } from "../../support/permissions.ts";
import { infoOf } from "../../support/served.ts";

const OPEN = { auth: openAuthentication, chat: openChat };

/** The service as its task opens it, in a folder of its own. */
async function open(name: keyof typeof OPEN, maxPerAddress: number) {
  const dataDir = await Deno.makeTempDir();
  const flags = ["--data", dataDir, "--max-per-address", `${maxPerAddress}`];
  const parsed = parseServerLine([name, ...flags]);
  if ("help" in parsed) throw new Error("Cannot open: help was asked for");
  const log = LogFile.open(parsed.config.logPath, { name });
  const service = OPEN[name](parsed.config, log);
  return {
    /** Registers somebody of the one address there is, who then leaves. */
    async register(id: number) {
      const [mine, theirs] = memoryConnPair();
      using conn = new FramedConn(theirs);
      const ended = service.handler(conn, infoOf(id, "10.0.0.1"));
      using client = new ChatClient(new FramedConn(mine));
      await client.ask({ type: "hello", version: 1 });
      const answer = await client.ask({ type: "register", name: `n${id}`, password: PASSWORD });
      client.conn.close();
      await ended;
      return answer?.type === "error" ? answer.retryAfterMs : answer?.type;
    },
    async [Symbol.asyncDispose]() {
      await service.close?.();
      log.close();
      await Deno.remove(dataDir, { recursive: true });
    },
  };
}

for (const name of ["auth", "chat"] as const) {
  testWith(FILES, `${name} makes no more accounts of an address than it was told`, async () => {
    await using service = await open(name, 2);

    const answers = [];
    const clock = { ms: 0 };
    using _clock = stub(performance, "now", () => clock.ms);
    for (let id = 1; id <= 3; id++) {
      answers.push(await service.register(id));
      clock.ms += 2500; // So that it may come again.
    }

    assertEquals(answers, ["welcome", "welcome", 5000]);
  });

  testWith(FILES, `${name} without a limit lets in 200 of an address at once`, async () => {
    using _hash = stub(crypto.subtle, "deriveBits", () => Promise.resolve(new ArrayBuffer(32)));
    await using service = await open(name, 0);

    const answers = await Promise.all(Array.from({ length: 200 }, (_, id) => service.register(id)));

    assertEquals(answers, Array(200).fill("welcome"));
  });
}
