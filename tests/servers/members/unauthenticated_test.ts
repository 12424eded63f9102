import { assertEquals } from "@std/assert";
import type { Silence } from "../../../lib/server/http_protocol.ts";
import type { ConnInfo } from "../../../lib/server/server_events.ts";
import { LOGIN_MS } from "../../../servers/members/login.ts";
import { Unauthenticated } from "../../../servers/members/unauthenticated.ts";
import { startAuthentication } from "../../support/chat_server.ts";
import { infoOf } from "../../support/served.ts";
import { stubClock } from "../../support/turns.ts";

const FULL = { type: "bye", reason: "full", retryAfterMs: 5000 } as const;
const HELLO = { type: "hello", version: 1 };

function startPlaces(places: number) {
  const unauthenticated = new Unauthenticated(places);
  const ended: number[] = [];
  const enter = (id: number, address = "10.0.0.1") => {
    const conn = infoOf(id, address);
    return { conn, refusal: unauthenticated.enter(conn, () => ended.push(id)) };
  };
  return { unauthenticated, ended, enter };
}

Deno.test("Unauthenticated counts each connection once, silent or not, and takes no place back twice", () => {
  const { unauthenticated, ended, enter } = startPlaces(2);
  const { hold, release } = unauthenticated.silence(1000);
  const [one, two, three] = [1, 2, 3].map((id) => infoOf(id, "10.0.0.1"));
  const giveWay = () => ended.push(0);

  assertEquals([one!, two!, three!].map((conn) => hold!(conn, giveWay)), [true, true, false]);
  assertEquals(unauthenticated.enter(one!, giveWay), undefined);
  release!(one!);
  release!(one!);

  assertEquals([enter(4).refusal, enter(5).refusal], [undefined, "crowded"]);
  assertEquals(ended, []);
});

Deno.test("Unauthenticated gives the place of the longest silent connection to another one of its address", () => {
  using clock = stubClock();
  const { unauthenticated, ended, enter } = startPlaces(3);
  const first = enter(1);
  clock.ms = 500;
  enter(2);
  const third = enter(3);
  unauthenticated.greeted(first.conn);

  clock.ms = 1499;
  assertEquals(enter(4).refusal, "crowded");
  clock.ms = 1500;
  assertEquals([enter(5).refusal, enter(6).refusal], [undefined, undefined]);
  assertEquals(ended, [2, 3]);
  // Those that are new have their second; who said hello is never ended.
  assertEquals(enter(7).refusal, "crowded");
  assertEquals(enter(8, "10.0.0.2").refusal, undefined);

  // The place of a connection that gave way is another's now.
  unauthenticated.leave(third.conn);
  assertEquals(enter(9).refusal, "crowded");
  unauthenticated.leave(first.conn);
  assertEquals(enter(10).refusal, undefined);
});

for (const browsers of [false, true]) {
  Deno.test(`A login finds a place beside silent connections, ${browsers ? "with" : "without"} pages`, async () => {
    using clock = stubClock();
    const silence = (): Silence => auth.members.unauthenticated.silence(LOGIN_MS);
    const http = {
      silenceMs: LOGIN_MS,
      endsSilent: true,
      hold: (conn: ConnInfo, giveWay: () => void) => silence().hold!(conn, giveWay),
      release: (conn: ConnInfo) => silence().release!(conn),
      open: () => {
        throw new Error("unreachable");
      },
    };
    await using auth = startAuthentication({ maxPerAddress: 4, ...(browsers && { http }) });
    using greeted = await auth.connect();
    await greeted.ask(HELLO);
    using silent = await auth.connect();
    // Refused, so the server has taken the one before.
    using refused = await auth.connect();
    await refused.conn.send("{}");
    assertEquals(await refused.rest(), [FULL]);

    clock.ms = 1000;
    using anna = await auth.connect();
    await anna.register("Anna");

    assertEquals(await silent.rest(), [FULL]);
    assertEquals(
      (await greeted.ask({ type: "register", name: "Boris", password: "password1" }))?.type,
      "welcome",
    );
    assertEquals(auth.names().toSorted(), ["Anna", "Boris"]);
  });
}
