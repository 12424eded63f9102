import { assert, assertEquals } from "@std/assert";
import type { Handler } from "../../lib/server/conversation.ts";
import { FramedConn } from "../../lib/conn/framed_conn.ts";
import { IdentityStore } from "../../lib/store/identity_store.ts";
import type { Result } from "../../lib/rpc/envelope.ts";
import { serveRequests } from "../../lib/rpc/serve_requests.ts";
import { goodbyeText } from "../../lib/server/end_reason.ts";
import { serve, type Server } from "../../lib/server/server.ts";
import { echo } from "../../servers/echo.ts";
import { identify } from "../../servers/identification.ts";
import { startAuthentication, startChat } from "../support/chat_server.ts";
import { fencedBlocks } from "./fenced_blocks.ts";
import { FILES, testWith } from "../support/permissions.ts";
import { turns } from "../support/turns.ts";

const DOCUMENT = new URL("../../PROTOCOL.md", import.meta.url);

/** A server under test, and what its operator can do. */
interface Stage extends AsyncDisposable {
  server: Server;
  clearUsers?(): unknown;
  say?(text: string): unknown;
}

const STAGES: Record<string, (folder: string) => Stage | Promise<Stage>> = {
  echo: () => stageOf(echo),
  async identify(folder) {
    const store = await IdentityStore.open(`${folder}/identities.json`);
    return { ...stageOf(identify({ store })), clearUsers: () => store.clear() };
  },
  requests: () => stageOf((conn) => serveRequests(conn, squareRoot, { validate: parseNumber })),
  auth() {
    const auth = startAuthentication();
    return { ...auth, clearUsers: () => auth.members.clear() };
  },
  chat() {
    const chat = startChat();
    return {
      ...chat,
      clearUsers: () => chat.members.clear(),
      say: (text) => chat.room.notice(text),
    };
  },
};

function squareRoot(value: number): Result<number> {
  if (value < 0) return { error: { code: "negative", message: "Give a number from 0" } };
  return { body: Math.sqrt(value) };
}

function parseNumber(value: unknown): number {
  if (typeof value !== "number") throw new TypeError("it is not a number");
  return value;
}

function stageOf(handler: Handler): Stage {
  const server = serve(handler, { goodbye: goodbyeText });
  return { server, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

/** Plays one transcript, line by line. */
class Play implements Disposable {
  readonly #stage: Stage;
  readonly #conns = new Map<string, FramedConn>();
  readonly #values = new Map<string, string>();
  #pausing: Promise<void> | undefined;

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  async line(line: string): Promise<void> {
    const [, who, said] = /^(.*?): ?(.*)$/.exec(line)!;
    if (who === "Operator") return await this.#operate(said!);
    const [, name, side] = /^(.*?) ?([CS])$/.exec(who!)!;
    const conn = this.#conns.get(name!) ?? await this.#connect(name!);
    if (side === "C") return await this.#say(conn, said!);
    const heard = await conn.receive();
    if (said !== "(end)") return this.#compare(said!, heard);
    assertEquals(heard, null);
    conn.close();
  }

  async #connect(name: string): Promise<FramedConn> {
    const conn = await FramedConn.connect({ port: this.#stage.server.addr.port });
    this.#conns.set(name, conn);
    return conn;
  }

  async #say(conn: FramedConn, said: string): Promise<void> {
    if (said === "(end)") await conn.closeWrite();
    else if (said === "(lost)") await this.#lose(conn);
    else {
      await conn.send(said.replace(/<([^>]+)>/g, (_, word) => this.#values.get(word)!));
    }
  }

  /** Loses the connection after the server has read all of it, and before the client has. */
  async #lose(conn: FramedConn): Promise<void> {
    await conn.closeWrite();
    while (this.#stage.server.connections > 0) await turns(1);
    conn.close();
  }

  /** Compares a line with the text heard; a placeholder takes any value, and then the same again. */
  #compare(said: string, heard: string | null): void {
    const words: string[] = [];
    const parts = said.split(/<([^>]+)>/).map((part, i) => {
      if (i % 2 === 0) return part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
      words.push(part);
      return '([^",}]+)';
    });
    const match = new RegExp(`^${parts.join("")}$`).exec(heard ?? "(end)");
    assert(match, `${heard}\ninstead of\n${said}`);
    for (const [i, word] of words.entries()) {
      assertEquals(this.#values.get(word) ?? match[i + 1], match[i + 1], word);
      this.#values.set(word, match[i + 1]!);
    }
  }

  async #operate(line: string): Promise<void> {
    const [command, ...rest] = line.split(" ");
    if (command === "pause") this.#pausing = this.#stage.server.pause();
    else if (command === "resume") {
      await this.#pausing;
      await this.#stage.server.resume();
    } else if (command === "clear-users") await this.#stage.clearUsers!();
    else if (command === "say") this.#stage.say!(rest.join(" "));
    else throw new Error(`No such command: ${line}`);
  }

  [Symbol.dispose](): void {
    for (const conn of this.#conns.values()) conn.close();
  }
}

testWith(FILES, "PROTOCOL.md: what the transcripts show is what the servers do", async (t) => {
  const transcripts = fencedBlocks(Deno.readTextFileSync(DOCUMENT))
    .filter(({ info }) => info.startsWith("transcript "));
  assert(transcripts.length >= 10);

  for (const [i, { info, body }] of transcripts.entries()) {
    await t.step(`${i + 1}: ${info}`, async () => {
      const folder = Deno.makeTempDirSync();
      {
        await using stage = await STAGES[info.slice("transcript ".length)]!(folder);
        using play = new Play(stage);
        for (const line of body.trimEnd().split("\n")) await play.line(line);
      }
      Deno.removeSync(folder, { recursive: true });
    });
  }
});
