/**
 * Misuse of a chat: each function is one act of one client.
 *
 * @module
 */
import { sleep } from "../../lib/base/within.ts";
import { encodeFrame } from "../../lib/frame/frame.ts";
import { ChatClient, PASSWORD } from "../shared/chat_client.ts";
import type { Ledger } from "./ledger.ts";

/** What an act needs. */
export interface Trouble {
  /** Where to connect. */
  port: number;
  /** A number from 0 up to 1, from the seed. */
  random(): number;
  /** Where acknowledgements are noted. */
  ledger: Ledger;
  /** The token of an account of its own. */
  token: string;
  /** The names of members. */
  names: string[];
}

/** One act. */
export type Act = (trouble: Trouble) => Promise<void>;

/** All that is done, by what it is called in the reports. */
export const ACTS: { [kind: string]: Act } = {
  floods: flood,
  visits: comeAndGo,
  guesses: guess,
  "bad frames": sendBadFrame,
  logins: logIn,
  deaf: beDeaf,
};

/** Connects, and says hello. */
async function call(port: number, hello: object = {}): Promise<ChatClient> {
  const caller = await ChatClient.connect(port);
  caller.send({ type: "hello", version: 1, ...hello });
  return caller;
}

const FLOOD = 50;

/** Says more than the flood control allows, without waiting, and notes what was accepted. */
async function flood({ port, random, ledger, token }: Trouble): Promise<void> {
  using caller = await call(port, { token, history: 0 });
  if ((await caller.untilAny("welcome", "error"))?.type !== "welcome") return;
  const run = Math.floor(random() * 2 ** 32);
  for (let i = 0; i < FLOOD; i++) {
    caller.send({ type: "say", ref: `${run} ${i}`, text: `flood ${run} ${i}` });
  }
  for (let left = FLOOD; left > 0; left--) {
    const answer = await caller.untilAny("said", "error");
    if (answer === null) return;
    if (answer.type === "said") ledger.note(answer.id, `flood ${answer.ref}`);
    // The rest would take as long as it is meant to.
    if (answer.type === "error" && random() < 0.5) return;
  }
}

/** Connects and leaves, before or after the first message. */
async function comeAndGo({ port, random }: Trouble): Promise<void> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  if (random() < 0.5) await conn.write(encodeFrame('{"type":"hello","version":1}'));
  if (random() < 0.5) await conn.read(new Uint8Array(100));
}

/** Tries a wrong password, with the name of a member or an unknown one. */
async function guess({ port, random, ledger, names }: Trouble): Promise<void> {
  using caller = await call(port);
  const name = random() < 0.5 ? names[Math.floor(random() * names.length)]! : "nobody";
  caller.send({ type: "login", name, password: "a wrong password" });
  const answer = await caller.untilAny("error", "welcome");
  if (answer?.type === "welcome") ledger.problems.push(`${name} was let in by a wrong password`);
}

const BAD: ((random: () => number) => Uint8Array)[] = [
  () => new Uint8Array(8).fill(0xff),
  () => encodeFrame("torn").subarray(0, 2),
  () => encodeFrame("torn").subarray(0, 6),
  () => Uint8Array.of(0, 0, 0, 2, 0xc3, 0x28),
  () => encodeFrame("[".repeat(4000)),
  () => encodeFrame('{"type":"hello","version":1,"token":"' + "A".repeat(43) + '"}'),
  () => encodeFrame('{"type":"say","ref":"__proto__","text":"x"}'),
  (random) => Uint8Array.from({ length: 500 }, () => Math.floor(random() * 256)),
];

/** Sends what is no frame, or no message. */
async function sendBadFrame({ port, random }: Trouble): Promise<void> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await conn.write(BAD[Math.floor(random() * BAD.length)]!(random));
  if (random() < 0.5) await conn.closeWrite();
  if (random() < 0.5) await conn.read(new Uint8Array(500));
}

/** Logs in with the right password, asks for what was said, and logs out: an account may have 32 tokens. */
async function logIn({ port, names }: Trouble): Promise<void> {
  using caller = await call(port, { history: 20 });
  caller.send({ type: "login", name: names.at(-1), password: PASSWORD });
  if ((await caller.untilAny("welcome", "error"))?.type !== "welcome") return;
  caller.send({ type: "history", limit: 50 });
  caller.send({ type: "logout" });
  await caller.untilAny("bye");
}

/** Asks for much, and reads nothing of it. */
async function beDeaf({ port, random, token }: Trouble): Promise<void> {
  using caller = await call(port, { token, history: 200 });
  for (let i = 0; i < 10; i++) caller.send({ type: "history", limit: 200 });
  await sleep(random() * 2000);
}
