import { assert, assertEquals } from "@std/assert";
import { openDatabase } from "../../lib/store/database.ts";
import { HistoryStore } from "../../lib/store/history_store.ts";
import type { ServerMessage } from "../../lib/chat/protocol.ts";
import { seededRandom } from "../../lib/base/seeded_random.ts";
import { CHAT_MIGRATIONS } from "../../lib/store/migrations.ts";
import { ChatClient } from "../../tools/shared/chat_client.ts";
import { PROCESSES, testWith } from "../support/permissions.ts";
import { Talker } from "../support/talker.ts";
import { ServerProcess } from "../../tools/shared/server_process.ts";

const KILLS = 20;
const NAMES = ["Anna", "Bob", "Carl", "Dora"];
const FLAGS = ["--burst", "1000000", "--rate", "1000000"];

/** Waits until something holds of what the talkers were told. */
class Told {
  said = 0;
  #holds = () => false;
  #met = () => {};
  take = ({ type }: ServerMessage) => {
    if (type === "said") this.said++;
    if (this.#holds()) this.#met();
  };
  until(holds: () => boolean): Promise<void> {
    this.#holds = holds;
    return new Promise((resolve) => {
      this.#met = resolve;
      if (holds()) resolve();
    });
  }
}

async function registerAll(port: number): Promise<string[]> {
  return await Promise.all(NAMES.map(async (name) => {
    using client = await ChatClient.connect(port);
    return await client.register(name);
  }));
}

function storedIn(data: string): { id: number; from: string; text: string }[] {
  using database = openDatabase(`${data}/chat.db`, { migrations: CHAT_MIGRATIONS });
  return new HistoryStore(database).since(0, 1, 1e9)
    .map(({ id, from, text }) => ({ id, from, text }));
}

/** Kills and restarts the server while the talkers talk, and lets them say the last of it. */
async function killAgainAndAgain(
  data: string,
  first: ServerProcess,
  random: () => number,
): Promise<Talker[]> {
  const { port } = first;
  let server = first;
  const tokens = await registerAll(port);
  const told = new Told();
  const talkers = NAMES.map((name, i) => new Talker(name, tokens[i]!, port, told.take));
  const talking = Promise.all(talkers.map((talker) => talker.talk()));
  try {
    for (let kill = 0; kill < KILLS; kill++) {
      const enough = told.said + 1 + Math.floor(random() * 200);
      await Promise.race([talking, told.until(() => told.said >= enough)]);
      // Not always right after an answer: somewhere in what the server does next.
      await pause(random() * 3);
      server.kill("SIGKILL");
      await server.ended();
      server = await ServerProcess.start("chat", [...FLAGS, `--port=${port}`], { data });
      assertEquals(server.port, port);
    }
    for (const talker of talkers) talker.finish();
    await Promise.race([talking, told.until(() => areDone(talkers))]);
  } finally {
    for (const talker of talkers) talker.leave();
    await server[Symbol.asyncDispose]();
  }
  await talking;
  return talkers;
}

/** Whether everybody has said and seen everything. */
function areDone(talkers: Talker[]): boolean {
  const last = Math.max(...talkers.flatMap(({ said }) => [...said.values()]));
  return talkers.every(({ done, seen }) => done && seen === last);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

testWith(
  PROCESSES,
  `chat killed ${KILLS} times under load loses nothing that was said`,
  async (t) => {
    const seed = crypto.getRandomValues(new Uint32Array(1))[0]!;
    await t.step(`seed ${seed}`, async () => {
      const data = Deno.makeTempDirSync();
      const server = await ServerProcess.start("chat", FLAGS, { data });

      const talkers = await killAgainAndAgain(data, server, seededRandom(seed));

      const said = talkers.flatMap(({ said }, i) =>
        Array.from(said, ([ref, id]) => ({ id, from: NAMES[i]!, text: `${NAMES[i]} ${ref}` }))
      );
      const stored = storedIn(data);
      assertEquals(stored, said.sort((a, b) => a.id - b.id));
      assertEquals(stored.map(({ id }) => id), Array.from(stored, (_, i) => i + 1));
      // Who misses something at a kill is chance; over all kills, one of them does.
      assert(talkers.some(({ replayed }) => replayed > 0));
      Deno.removeSync(data, { recursive: true });
    });
  },
);
