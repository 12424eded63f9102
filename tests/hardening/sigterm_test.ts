import { assertEquals, assertGreater, assertLess, assertMatch } from "@std/assert";
import { AccountStore } from "../../lib/store/account_store.ts";
import { type Database, openDatabase } from "../../lib/store/database.ts";
import { startFaultProxy } from "../../lib/faults/fault_proxy.ts";
import { HistoryStore } from "../../lib/store/history_store.ts";
import type { ServerMessage } from "../../lib/chat/protocol.ts";
import { SessionStore } from "../../lib/store/session_store.ts";
import { CHAT_MIGRATIONS } from "../../lib/store/migrations.ts";
import { ChatClient, PASSWORD } from "../../tools/shared/chat_client.ts";
import { CHEAP } from "../support/chat_server.ts";
import { PROCESSES, testInFolder } from "../support/permissions.ts";
import type { Ended } from "../../tools/shared/program.ts";
import { ServerProcess } from "../../tools/shared/server_process.ts";

const TALKERS = 50;
const EARLIER = 1000;
const SAID_BEFORE_THE_SIGNAL = 300;
const FLAGS = "--burst 1000000 --rate 1000000 --max-per-address 0".split(" ");
// The server drains for 5 s; what is beyond is the machine's, which may be busy.
const PROMISED_MS = 10_000;

/** What the test process notes while the server still runs. */
class Crowd {
  /** The texts that were said, by id. */
  readonly said = new Map<number, string>();
  /** How the connections of those who read ended: with a bye, or without one. */
  readonly partings: string[] = [];
  readonly wellOnTheWay = Promise.withResolvers<void>();
  /** Settles when somebody was told that the server ends. */
  readonly firstBye = Promise.withResolvers<void>();
  over = false;

  /** Enters with a token, is shown the history, and talks until the server ends it. */
  async talk(port: number, name: string, token: string): Promise<void> {
    using client = await ChatClient.connect(port);
    try {
      await this.#talk(client, name, token);
      this.partings.push(partingOf(client.received.at(-1)));
    } catch (error) {
      this.partings.push(String(error));
    }
  }

  async #talk(client: ChatClient, name: string, token: string): Promise<void> {
    await client.resume(token, { since: 0 });
    let refs = 0;
    const say = () =>
      void client.send({ type: "say", ref: `${++refs}`, text: `${name} ${refs}` }).catch(() => {
        // The connection is gone: nothing more is acknowledged on it.
      });
    for (let i = 0; i < 4; i++) say();
    for (let message; (message = await client.next()) !== null;) {
      if (message.type === "bye") this.firstBye.resolve();
      if (message.type !== "said") continue;
      this.#note(message.id, `${name} ${message.ref}`);
      say();
    }
  }

  /** Comes and leaves, again and again. */
  async comeAndGo(port: number): Promise<void> {
    await this.#again(async () => {
      using client = await ChatClient.connect(port);
      await client.ask({ type: "hello", version: 1 });
    });
  }

  /** Logs in with a password, again and again. */
  async logIn(port: number, name: string): Promise<void> {
    await this.#again(async () => {
      using client = await ChatClient.connect(port);
      await client.send({ type: "hello", version: 1 });
      await client.send({ type: "login", name, password: PASSWORD });
      while (await client.next() !== null && client.received.length < 4);
    });
  }

  /** Enters, talks, and never reads. */
  async talkDeaf(port: number, token: string): Promise<ChatClient> {
    const client = await ChatClient.connect(port);
    await client.resume(token, { history: 0 });
    for (let i = 0; i < 20; i++) client.send({ type: "say", ref: `${i}`, text: "deaf" });
    return client;
  }

  async #again(act: () => Promise<void>): Promise<void> {
    while (!this.over) {
      try {
        await act();
      } catch (error) {
        // Refused or reset by a server that has ended; truncated it must not be.
        const isEnd = error instanceof Deno.errors.ConnectionRefused ||
          error instanceof Deno.errors.ConnectionReset || error instanceof Deno.errors.BrokenPipe;
        if (!isEnd) throw error;
        return;
      }
    }
  }

  #note(id: number, text: string): void {
    this.said.set(id, text);
    if (this.said.size === SAID_BEFORE_THE_SIGNAL) this.wellOnTheWay.resolve();
  }
}

function partingOf(message: ServerMessage | undefined): string {
  return message?.type === "bye" ? message.reason : "none";
}

function openChat(data: string): Database {
  return openDatabase(`${data}/chat.db`, { migrations: CHAT_MIGRATIONS });
}

/** Makes accounts and a history without a server; gives a token for each account. */
async function prepare(data: string, names: string[]): Promise<string[]> {
  using database = openChat(data);
  const accounts = new AccountStore(database, new SessionStore(database), { params: CHEAP });
  const tokens: string[] = [];
  for (const name of names) {
    const session = await accounts.register(name, PASSWORD);
    if ("token" in session) tokens.push(session.token);
  }
  const messages = Array.from({ length: EARLIER }, (_, i) => ({ ref: `${i}`, text: `text ${i}` }));
  new HistoryStore(database).append(
    messages.map((message) => ({ ...message, sender: { id: -1, name: "earlier" }, at: 0 })),
  );
  return tokens;
}

/** Fills a server with all that may go on, signals it in the middle, and tells what became of it. */
async function endInTheMiddle(
  data: string,
  signal: (server: ServerProcess, crowd: Crowd) => void | Promise<void>,
): Promise<{ crowd: Crowd; ended: Ended; ms: number }> {
  const names = Array.from({ length: TALKERS + 10 }, (_, i) => `member_${i}`);
  const tokens = await prepare(data, [...names, "password"]);
  await using server = await ServerProcess.start("chat", FLAGS, { data });
  const jitter = { splitBytes: 700, jitterMs: 2 };
  await using proxy = await startFaultProxy({ to: server, seed: 1, up: jitter, down: jitter });
  const ports = [server.port, proxy.addr.port];
  const crowd = new Crowd();

  const talking = names.slice(0, TALKERS).map((name, i) =>
    crowd.talk(ports[i % 2]!, name, tokens[i]!)
  );
  const others = Array.from({ length: 20 }, (_, i) => crowd.comeAndGo(ports[i % 2]!))
    .concat(Array.from({ length: 10 }, () => crowd.logIn(server.port, "password")));
  const deaf = await Promise.all(
    tokens.slice(TALKERS, -1).map((token) => crowd.talkDeaf(server.port, token)),
  );
  await crowd.wellOnTheWay.promise;
  const start = performance.now();
  await signal(server, crowd);
  const ended = await server.ended();
  const ms = performance.now() - start;
  crowd.over = true;
  for (const client of deaf) client.conn.close();
  await Promise.all([
    ...talking.map((talk) => talk.catch((error) => crowd.partings.push(String(error)))),
    ...others,
  ]);
  return { crowd, ended, ms };
}

function assertStored(data: string, said: Map<number, string>): void {
  using database = openChat(data);
  assertEquals(database.prepare("PRAGMA integrity_check").get(), { integrity_check: "ok" });
  const stored = new HistoryStore(database).since(0, 0, 1e9);
  const texts = new Map(stored.map(({ id, text }) => [id, text]));
  assertEquals([...said].filter(([id, text]) => texts.get(id) !== text), []);
}

testInFolder(
  `chat at SIGTERM in the middle of ${TALKERS} talkers, logins and faults ends in time and keeps its word`,
  async (data) => {
    const { crowd, ended, ms } = await endInTheMiddle(data, (server) => server.kill("SIGTERM"));

    assertEquals([ended.code, ended.err], [0, ""]);
    assertLess(ms, PROMISED_MS);
    assertEquals(crowd.partings, Array(TALKERS).fill("shutdown"));
    // Closed in order, the database leaves nothing beside its file.
    const files = Array.from(Deno.readDirSync(data), ({ name }) => name).sort();
    assertEquals(files, ["chat.db", "chat.db.lock", "logs"]);
    assertStored(data, crowd.said);
    const log = await Deno.readTextFile(`${data}/logs/chat.log`);
    assertMatch(log, / stopped\n$/);
    assertEquals(log.match(/^.* ERROR .*$/gm), null);
  },
  PROCESSES,
);

testInFolder(
  `chat at a second SIGINT in the middle of ${TALKERS} talkers ends at once and keeps its word`,
  async (data) => {
    using again = new DisposableStack();
    // The deaf keep it from ending before the second signal.
    const { crowd, ended } = await endInTheMiddle(data, async (server, { firstBye }) => {
      server.kill("SIGINT");
      await firstBye.promise;
      // Those of the first moments count as the first.
      again.use(server.killAgain("SIGINT"));
    });

    assertEquals(ended.code, 130);
    assertGreater(crowd.said.size, SAID_BEFORE_THE_SIGNAL - 1);
    assertStored(data, crowd.said);
  },
  PROCESSES,
);
