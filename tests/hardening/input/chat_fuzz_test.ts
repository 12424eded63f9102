import { assert, assertEquals } from "@std/assert";
import type { ServerMessage } from "../../../lib/chat/protocol.ts";
import { seededRandom } from "../../../lib/base/seeded_random.ts";
import { LOGIN_MAX_BODY_BYTES } from "../../../servers/members/login.ts";
import type { ChatClient } from "../../../tools/shared/chat_client.ts";
import { startChat } from "../../support/chat_server.ts";

const CONNECTIONS = 40;
const MESSAGES = 100;
const TYPES = "hello register login say tell history who whoami ping message said".split(
  " ",
);
// What a fuzzed message begins with; fields that come later replace these.
const WHOLE = [
  '"type":"hello","version":1',
  '"type":"say","ref":"r","text":"t"',
  '"type":"tell","ref":"s","to":"boris","text":"t"',
  '"type":"tell","ref":"s","to":"__proto__","text":"t"',
  '"type":"history","before":3,"limit":2',
  '"type":"login","name":"__proto__","password":"constructor"',
];
const FIELDS = "type ref text to name password version token since history before limit".split(" ");
const PROTOTYPE = "__proto__ constructor prototype toString hasOwnProperty valueOf".split(" ");
const ODD = ["", " ", "\0", "\x1b[2J", "\u202e", "😀", "é".normalize("NFD"), "ﬀ", "\ufeff", "anna"];
const NUMBERS = ["0", "-0", "-1", "1.5", "1e999", "9007199254740993", "1e-7", "01", "NaN"];
// What ends a round: it is refused in a way that nothing else is.
const LAST = { type: "last", ref: "the last of the round" };

/** Makes texts that are nearly messages. */
class Fuzz {
  readonly #random: () => number;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  /** One body to send, short enough to be looked at. */
  body(): Uint8Array {
    const json = this.#object(3);
    const text = this.below(8) ? json : this.#value(3);
    const bytes = new TextEncoder().encode(text).subarray(0, LOGIN_MAX_BODY_BYTES);
    const odd = this.below(20);
    if (odd === 0) return bytes.subarray(0, this.below(bytes.length));
    if (odd === 1 && bytes.length > 0) bytes[this.below(bytes.length)] = this.below(256);
    if (odd === 2) return new TextEncoder().encode("[".repeat(this.below(4000)));
    return bytes;
  }

  #object(depth: number): string {
    const type = this.below(10) ? JSON.stringify(this.#of(TYPES)) : this.#value(depth - 1);
    const pairs = [this.below(2) ? this.#of(WHOLE) : `"type":${type}`];
    for (let count = this.below(6); count > 0; count--) {
      const name = this.below(4) ? this.#of(FIELDS) : this.#of([...PROTOTYPE, ...ODD]);
      pairs.push(`${JSON.stringify(name)}:${this.#value(depth)}`);
    }
    return `{${pairs}}`;
  }

  #value(depth: number): string {
    const values = [
      () => this.#text(),
      () => this.#text(),
      () => this.#of(NUMBERS),
      () => this.#of(["null", "true", "false", '"\\ud800"', '"\\udc00x"']),
      () => `[${Array.from({ length: this.below(4) }, () => this.#value(depth - 1))}]`,
      () => this.#object(depth - 1),
    ];
    return this.#of(depth > 0 ? values : values.slice(0, 4))();
  }

  #text(): string {
    const length = this.below(10) ? this.below(12) : this.below(3000);
    const char = this.#of(["x", ...ODD]);
    return JSON.stringify(this.below(3) ? this.#of([...PROTOTYPE, ...ODD]) : char.repeat(length));
  }

  #of<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }
}

/** Receives up to the answer to `LAST`, or to the end of the connection. */
async function answers(client: ChatClient): Promise<ServerMessage[]> {
  for (let message; (message = await client.next()) !== null;) {
    if (message.type === "error" && message.ref === LAST.ref) break;
  }
  return client.received;
}

for (const seed of [1, 2, 3]) {
  Deno.test(`chatHandler() lives with ${CONNECTIONS * MESSAGES} odd messages, and no member notices (seed ${seed})`, async () => {
    const fuzz = new Fuzz(seed);
    const where = `with seed ${seed}`;
    await using chat = startChat();
    using anna = await chat.enter("anna");
    using boris = await chat.enter("boris");
    await anna.until("joined");
    const said = new Set<number>();
    const refused = new Set<string>();

    for (let round = 0; round < CONNECTIONS; round++) {
      using mallory = await chat.connect();
      if (round % 4) await mallory.register(`mallory_${round}`);
      const answered = answers(mallory);
      const send = (body: Uint8Array) => mallory.conn.sendBytes(body);
      const sent = Array.from({ length: MESSAGES }, () => send(fuzz.body()));
      // Some are shown the door.
      const isEnded = round % 5 === 0;
      if (isEnded) sent.push(send(new Uint8Array(20_000)));
      sent.push(mallory.send(LAST));
      const received = await answered;
      await Promise.allSettled(sent);

      assertEquals(received.at(-1)?.type, isEnded ? "bye" : "error", `round ${round} ${where}`);
      for (const message of received) {
        if (message.type === "said") said.add(message.id);
        if (message.type === "error") refused.add(message.code);
      }
      said.add(await anna.say(`round ${round}`));
      while ((await boris.until("message")).text !== `round ${round}`);
    }

    const others = [...await anna.all(), ...anna.received, ...await boris.all(), ...boris.received];
    for (const message of others) {
      if (message.type === "message") {
        assert(said.has(message.id), `${message.id} ${where}`);
        assert(message.text.isWellFormed(), `${message.id} ${where}`);
      }
      assert(!["error", "bye", "notice"].includes(message.type), `${message.type} ${where}`);
    }
    const failed = chat.events.filter((event) =>
      event.type === "disconnected" && !["finished", "ended", "protocol"].includes(event.reason)
    );
    assertEquals(failed, [], where);
    assertEquals(chat.errors, [], where);
    // The fuzz got past the first checks.
    assert(said.size > 2 * CONNECTIONS, `only ${said.size} were said ${where}`);
    for (const code of ["bad_message", "unauthorized", "no_such_user"]) {
      assert(refused.has(code), `no ${code} ${where}`);
    }
  });
}
