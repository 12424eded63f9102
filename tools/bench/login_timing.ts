/**
 * Whether the time of a refused login tells if the name exists: interleaved logins at a server, and their distributions.
 *
 * `deno run --allow-net=127.0.0.1 tools/bench/login_timing.ts` prints the table that stands in SECURITY.md.
 *
 * @module
 */
import { openDatabase } from "../../lib/store/database.ts";
import { FramedConn } from "../../lib/conn/framed_conn.ts";
import { serve } from "../../lib/server/server.ts";
import { AUTH_MIGRATIONS } from "../../lib/store/migrations.ts";
import { authenticationHandler } from "../../servers/authentication.ts";
import { Members } from "../../servers/members/members.ts";
import { percentile, short, table } from "./report.ts";

/** Who logs in, all with a wrong password. */
const NAMES = {
  "a known name": () => "anna",
  "an unknown name": (round: number) => `nobody_${round}`,
  "no name at all": (round: number) => `no name ${round}`,
};

/** The times of refused logins in milliseconds, by whose they were. */
export type LoginTimes = Record<keyof typeof NAMES, number[]>;

/** Logs in so many times with each kind of name, in turns of random order, one after the other. */
export async function loginTimes(rounds: number): Promise<LoginTimes> {
  using database = openDatabase(":memory:", { migrations: AUTH_MIGRATIONS });
  // Each login comes an hour after the one before, so that none is slowed by the failures.
  let passedMs = 0;
  const now = performance.now.bind(performance);
  performance.now = () => now() + passedMs;
  using cleanUp = new DisposableStack();
  cleanUp.defer(() => Reflect.deleteProperty(performance, "now"));
  const members = new Members(database, {
    server: "auth",
    loginMs: 600_000,
    // The pace of reading would hide how long a login takes.
    loginPace: { burst: 1_000_000, perSecond: 1_000_000 },
  });
  await members.accounts.register("anna", "the right password");
  const handler = authenticationHandler(members);
  await using server = serve(handler, { port: 0 });
  using conn = await FramedConn.connect({ port: server.addr.port });
  await conn.request('{"type":"hello","version":1}');

  const kinds = Object.keys(NAMES) as (keyof typeof NAMES)[];
  const times: LoginTimes = { "a known name": [], "an unknown name": [], "no name at all": [] };
  for (let round = -2; round < rounds; round++) {
    for (const kind of shuffled(kinds)) {
      const login = { type: "login", name: NAMES[kind](round), password: "a wrong password" };
      passedMs += 3_600_000;
      const start = now();
      const answer = await conn.request(JSON.stringify(login));
      const ms = now() - start;
      if (!answer?.includes('"bad_credentials"')) throw new Error(`Not refused: ${answer}`);
      // The first rounds only warm up.
      if (round >= 0) times[kind].push(ms);
    }
  }
  return times;
}

/** In a random order, each as likely. */
function shuffled<T>(values: T[]): T[] {
  return values.map((value) => ({ value, at: Math.random() }))
    .toSorted((a, b) => a.at - b.at).map(({ value }) => value);
}

/**
 * How likely it is that a time of the one is longer than a time of the other: 0.5 for equal distributions, however noisy
 * (the U of Mann and Whitney, divided by the number of pairs).
 */
export function longerShare(ones: number[], others: number[]): number {
  const wins = (one: number) =>
    others.reduce((sum, other) => sum + (one > other ? 1 : one === other ? 0.5 : 0), 0);
  return ones.reduce((sum, one) => sum + wins(one), 0) / (ones.length * others.length);
}

/** Prints the distributions. */
export async function main(): Promise<void> {
  const times = await loginTimes(300);
  const known = times["a known name"];
  const head = ["wrong password for", "p5 ms", "p25 ms", "p50 ms", "p75 ms", "p95 ms", "longer"];
  const rows = Object.entries(times).map(([kind, list]) => [
    kind,
    ...[0.05, 0.25, 0.5, 0.75, 0.95].map((share) => short(percentile(list, share))),
    longerShare(list, known).toFixed(2),
  ]);
  console.log(table([head, ...rows]));
}

if (import.meta.main) await main();
