/**
 * Exercise 1.7: the server knows its clients by their addresses.
 *
 * @module
 */
import { join } from "node:path";
import type { MessageConn } from "../lib/conn/message_conn.ts";
import type { Handler } from "../lib/server/conversation.ts";
import { RecentBrowsers, SILENCE_MS } from "../lib/server/http_protocol.ts";
import { IdentityStore } from "../lib/store/identity_store.ts";
import { lockFile } from "../lib/store/private_file.ts";
import type { LogFile } from "../lib/log/log_file.ts";
import { parseNewName } from "../lib/chat/new_name.ts";
import type { ServerConfig } from "./control/config.ts";
import { printError } from "./control/output.ts";
import { texts } from "./echo.ts";
import type { Service } from "./service.ts";
import { type Trouble, TroubleLog } from "./logging/trouble_log.ts";

const QUESTION = "What is your name?";
const MAX_TEXT_BYTES = 16 * 1024;
// An answer is a name and a text, and must fit where the longest text does. A character has four bytes at most.
const MAX_BODY_BYTES = MAX_TEXT_BYTES + 4 * 32 + ": ".length;

/** What the dialogue needs. */
export interface IdentifyOptions {
  /** Who is known. */
  store: IdentityStore;
  /** Told when names could not be read, and when they could again. */
  reading?: Trouble;
  /** Told when a name could not be stored, and when one could again. */
  writing?: Trouble;
}

/**
 * Makes a handler that greets a known client by name and asks another for its name; then each line comes back with the
 * name in front. A client that is forgotten during the dialogue is asked again.
 */
export function identify({ store, reading, writing }: IdentifyOptions): Handler<MessageConn> {
  return async (conn, { address }) => {
    const known = await find(address);
    let isAsked = known === undefined;
    await conn.send(isAsked ? QUESTION : `Hello, ${known}!`);
    for await (const text of texts(conn)) {
      const name = store.get(address);
      let answer = QUESTION;
      if (isTooLong(text)) answer = `A line has at most ${MAX_TEXT_BYTES} bytes of UTF-8`;
      else if (isAsked) {
        answer = await takeName(address, text);
        isAsked = answer.endsWith(QUESTION);
      } else if (name !== undefined) answer = `${name}: ${text}`;
      else isAsked = true;
      await conn.send(answer);
    }
  };

  /** A client that cannot be looked up is asked, and told if its answer cannot be stored. */
  async function find(address: string): Promise<string | undefined> {
    const known = store.get(address);
    if (known !== undefined) return known;
    try {
      const found = await store.find(address);
      reading?.end();
      return found;
    } catch (error) {
      reading?.tell(error);
      return undefined;
    }
  }

  /** Stores the name that a client gave, and gives the answer, which asks again where that cannot be done. */
  async function takeName(address: string, text: string): Promise<string> {
    const parsed = parseNewName(text);
    if ("reason" in parsed) return `${parsed.reason}. ${QUESTION}`;
    try {
      const name = await store.remember(address, parsed.name);
      writing?.end();
      if (name === null) {
        return `No more names can be stored here, for this network or in all. ${QUESTION}`;
      }
      // The address may have given its name on another connection, while this answer was typed.
      return name === parsed.name ? `Nice to meet you, ${name}!` : `Hello, ${name}!`;
    } catch (error) {
      writing?.tell(error);
      return `Your name could not be stored, please try again. ${QUESTION}`;
    }
  }
}

/** Opens the identification server, which keeps `identities.json`, for itself only. */
export async function openIdentification(config: ServerConfig, log: LogFile): Promise<Service> {
  const path = join(config.dataDir, "identities.json");
  using resources = new DisposableStack();
  const lock = resources.use(lockFile(path));
  const store = await IdentityStore.open(path, (notice) => warn(notice, log));
  const reading = new TroubleLog(log, "storage failed");
  const writing = new TroubleLog(log, "storage failed");
  resources.move();
  return {
    handler: identify({ store, reading, writing }),
    // It speaks first, unless a browser does.
    silence: { silenceMs: SILENCE_MS, browsers: new RecentBrowsers() },
    options: { maxBodyBytes: MAX_BODY_BYTES },
    nameOf: ({ address }) => store.get(address),
    async clearUsers() {
      const cleared = await store.clear();
      writing.end();
      return cleared;
    },
    trouble: () => writing.lasting ?? reading.lasting,
    close: () => lock[Symbol.dispose](),
  };
}

const utf8 = new TextEncoder();

function isTooLong(text: string): boolean {
  return text.length > MAX_TEXT_BYTES || utf8.encode(text).length > MAX_TEXT_BYTES;
}

function warn(notice: string, log: LogFile): void {
  log.warn("identities set aside", { notice });
  printError(`Warning: ${notice}`);
}
