import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { WrongServerError } from "../../../client/session/connection.ts";
import { checkName, findServer } from "../../../client/session/first_questions.ts";
import type { KeptLogin, Refusal } from "../../../client/session/session_login.ts";
import type { ChatSessionOptions } from "../../../client/session/session_options.ts";
import { passTime } from "../../support/turns.ts";
import {
  HELLO,
  type Json,
  KEPT,
  MemoryLogins,
  memoryPair,
  openSession,
  Peer,
  type Script,
  UNAUTHORIZED,
  WELCOME,
} from "./scripted_server.ts";

const OLD_HELLO = { type: "hello", version: 1, server: "chat" };

/** A session that begins with a kept login; `refusals` has what it was told, and `sent` all of the client's messages. */
function openKept(kept: KeptLogin[], hello: Json, options: Partial<ChatSessionOptions> = {}) {
  const refusals: Refusal[] = [];
  const sent: (Json | null)[] = [];
  const logins = new MemoryLogins(...kept);
  const script: Script = async (peer) => {
    sent.push(await peer.next());
    peer.say(hello);
    const second = await peer.next();
    sent.push(second);
    if (second?.["type"] !== "hello") return;
    peer.say(hello, { ...WELCOME, token: "new" });
    peer.logOut();
  };
  const { session, running } = openSession([script], {
    logins,
    credentials: (refusal) => {
      if (refusal) refusals.push(refusal);
      return Promise.resolve(refusal ? null : { name: "ANNA" });
    },
    ...options,
  });
  return { session, running, refusals, sent, logins };
}

Deno.test("ChatSession sends a kept token only after the hello of the server that it is of", async () => {
  const other = { ...KEPT, token: "other", data: "d2" };
  const { session, sent } = openKept([KEPT, other], HELLO, { history: 3 });

  assertEquals(await session.run(), "logged_out");

  assertEquals(sent, [
    { type: "hello", version: 1, history: 3 },
    { type: "hello", version: 1, token: "kept", history: 3 },
  ]);
});

for (
  const [what, kept, hello, tls, reason] of [
    ["of other data", KEPT, { ...HELLO, data: "d2" }, false, "this is another server"],
    ["that does not identify its data", KEPT, OLD_HELLO, false, "this server does not identify"],
    ["without TLS", { ...KEPT, tls: true }, HELLO, false, "it was got over TLS"],
    ["over TLS, if it was got without", KEPT, HELLO, true, "it was got without TLS"],
    ["if it was kept by an earlier version", { ...KEPT, data: undefined }, HELLO, false, "unknown"],
    ["if both are of earlier versions", { ...KEPT, data: undefined }, OLD_HELLO, false, "unknown"],
  ] as [string, KeptLogin, Json, boolean, string][]
) {
  Deno.test(`ChatSession does not send a kept token to a server ${what}, and says why`, async () => {
    const { session, running, refusals, sent, logins } = openKept([kept], hello, { tls });

    assertEquals(await session.run(), "given_up");
    await Promise.all(running);

    assertEquals(sent, [{ type: "hello", version: 1 }, null]);
    assertEquals(refusals.map(({ code }) => code), ["not_sent"]);
    assert(refusals[0]!.message.includes(reason), refusals[0]!.message);
    assertEquals(logins.kept.length, 1);
  });
}

for (const reason of ["logged_out", "kicked"] as const) {
  Deno.test(`ChatSession keeps a login with what it was got from, and forgets it when ${reason}`, async () => {
    const logins = new MemoryLogins();
    const kept: KeptLogin[] = [];
    const { session } = openSession([async (peer) => {
      await peer.welcome();
      await peer.until("ping");
      kept.push(...logins.kept);
      peer.say({ type: "bye", reason });
    }], { logins, tls: true });
    session.entered.then(() => session.request({ type: "ping" }));

    assertEquals(await session.run(), reason);

    assertEquals(kept, [{ name: "anna", token: "t1", tls: true, data: "d1" }]);
    assertEquals(logins.kept, []);
  });
}

Deno.test("ChatSession reconnects to a server of an earlier version, and keeps no login of it", async () => {
  const hellos: Json[] = [];
  const reasons: string[] = [];
  const logins = new MemoryLogins();
  const { session } = openSession([
    async (peer) => void hellos.push(await peer.welcome({}, OLD_HELLO)),
    async (peer) => {
      hellos.push(await peer.welcome({}, OLD_HELLO));
      peer.logOut();
    },
  ], { logins, onNotKept: (reason) => reasons.push(reason) });

  await session.run();

  assertEquals(hellos.map(({ token }) => token), [undefined, "t1"]);
  assertEquals(reasons, ["this server does not identify its data"]);
});

Deno.test("ChatSession does not bring its token to another server that has taken the place", async () => {
  const sent: (Json | null)[] = [];
  const { session, running } = openSession([
    async (peer) => void await peer.welcome(),
    async (peer) => {
      sent.push(await peer.next());
      peer.say({ ...HELLO, data: "d2" });
      sent.push(await peer.next());
    },
  ]);

  assertEquals(await session.run(), "given_up");
  await Promise.all(running);

  assertEquals(sent, [{ type: "hello", version: 1, since: 0 }, null]);
});

Deno.test("ChatSession logs in again on the same connection, and withdraws private messages", async () => {
  const refs: unknown[] = [];
  const told: string[] = [];
  let connections = 0;
  const { session } = openSession([async (peer) => {
    connections++;
    await peer.welcome();
    const { ref } = await peer.until("say");
    refs.push(ref);
    peer.say({ ...UNAUTHORIZED, ref });
    await peer.welcome({ token: "t2" });
    const again = await peer.until("say");
    refs.push(again["ref"]);
    peer.say({ type: "said", ref: again["ref"], id: 1 });
    refs.push((await peer.next())?.["type"]);
    peer.logOut();
  }], {
    credentials: (refusal) =>
      Promise.resolve({ name: refusal?.name ?? "ANNA", password: "pw", register: !!refusal }),
    onMessage: (message, own) => {
      if (message.type === "said") session.request({ type: "who" });
      if (own) told.push(`${message.type} ${own.text}`);
    },
  });
  session.say("to all");
  session.say("secret", { to: "boris" });

  assertEquals(await session.run(), "logged_out");

  assertEquals(refs, [refs[0], refs[0], "who"]);
  assertEquals(connections, 1);
  assertEquals(told, ["error secret", "said to all"]);
});

Deno.test("ChatSession asks again for a login that it cannot forget", async () => {
  const logins = new MemoryLogins(KEPT);
  logins.remove = () => Promise.reject(new Error("disk"));
  const asked: (string | undefined)[] = [];
  const { session } = openSession([async (peer) => {
    await peer.next();
    peer.say(HELLO);
    await peer.next();
    peer.say(HELLO, UNAUTHORIZED);
    await peer.next();
  }], {
    logins,
    credentials: (refusal) => {
      asked.push(refusal?.code);
      return Promise.resolve(refusal ? null : { name: "anna" });
    },
  });

  assertEquals([await session.run(), asked], ["given_up", [undefined, "unauthorized"]]);
});

Deno.test("ChatSession gives the registered spelling of a name whose login has ended", async () => {
  const refusals: (Refusal | undefined)[] = [];
  const { session } = openSession([async (peer) => {
    await peer.welcome({ name: "Анна" });
    peer.say(UNAUTHORIZED);
    await peer.next();
  }], {
    credentials: (refusal) => {
      refusals.push(refusal);
      return Promise.resolve(refusal ? null : { name: "анна", password: "pw", register: false });
    },
  });

  await session.run();

  assertEquals([refusals[1]?.name, refusals[1]?.hadToken], ["Анна", true]);
});

Deno.test("ChatSession does not send passwords and tokens faster than its own waits", async () => {
  using time = new FakeTime();
  let logins = 0;
  const refuseAll: Script = async (peer) => {
    for (;;) {
      await peer.welcome();
      logins++;
      peer.say(UNAUTHORIZED);
    }
  };
  const { session } = openSession(Array(99).fill(refuseAll), {
    credentials: () => Promise.resolve({ name: "anna", password: "pw", register: false }),
    backoff: {},
  });

  const ended = session.run();
  for (let second = 0; second < 60; second++) await passTime(time, 1000);
  session.close();
  await passTime(time, 1000);
  await ended;

  assert(logins > 1 && logins < 20, `${logins} logins`);
});

for (
  const [what, fields] of [
    ["a name with control characters", { name: "\x1b[2Janna" }],
    ["a name that no server spells so", { name: "ａnna" }],
    ["a token of a megabyte", { token: "t".repeat(1e6) }],
  ] as const
) {
  Deno.test(`ChatSession takes no welcome with ${what}`, async () => {
    const logins = new MemoryLogins();
    const { session, heard } = openSession([async (peer) => {
      await peer.welcome(fields);
      peer.say({ type: "bye", reason: "kicked" });
      await peer.next();
    }], { logins });

    await session.run().catch((error) => assertInstanceOf(error, WrongServerError));

    assertEquals(logins.kept, []);
    assertEquals(heard.filter(({ type }) => type === "welcome"), []);
  });
}

Deno.test("ChatSession takes one welcome, and none that it has not asked for", async () => {
  const logins = new MemoryLogins();
  const { session, heard } = openSession([async (peer) => {
    peer.say(WELCOME);
    await peer.welcome();
    peer.say({ ...WELCOME, name: "boris", token: "t2" });
    peer.logOut();
    await peer.next();
  }], { logins });

  await session.run();

  assertEquals(heard.map(({ type, name }) => [type, name]), [
    ["hello", undefined],
    ["welcome", "anna"],
    ["bye", undefined],
  ]);
});

const refused = (code: string) => ({ type: "error", code, message: "No" });

for (
  const [answer, given] of [
    [refused("name_taken"), refused("name_taken")],
    [refused("bad_name"), refused("bad_name")],
    [refused("weak_password"), null],
    [refused("throttled"), undefined],
    [WELCOME, undefined],
  ] as const
) {
  Deno.test(`checkName() gives ${given && "it"} where the server answers ${Object.values(answer)}`, async () => {
    const [near, far] = memoryPair();
    const peer = new Peer(far);
    const asked = checkName("anna", () => Promise.resolve(near));
    await peer.next();
    peer.say(HELLO);
    assertEquals(await peer.next(), { type: "register", name: "anna", password: "" });
    peer.say(answer);

    assertEquals<unknown>([await asked, await peer.next()], [given, null]);
  });
}

Deno.test("checkName() asks no server of an earlier version, and waits for none", async () => {
  using time = new FakeTime();
  const [near, far] = memoryPair();
  const asked = checkName("anna", () => Promise.resolve(near));
  const peer = new Peer(far);
  await peer.next();
  peer.say(OLD_HELLO);
  assertEquals([await asked, await peer.next()], [undefined, null]);

  const silent = checkName("anna", () => Promise.resolve(memoryPair()[0]));
  await passTime(time, 3000);

  assertEquals(await silent, undefined);
});

for (
  const [what, script, reason] of [
    [
      "closes the connection",
      (peer: Peer) => peer.conn.close(),
      "the server closed the connection",
    ],
    ["does not answer", () => {}, "The server does not answer"],
    ["is another one", (peer: Peer) => void peer.conn.send("Who are you?"), "Cannot talk to this"],
  ] as const
) {
  Deno.test(`findServer() rejects with the reason where the server ${what}`, async () => {
    using time = new FakeTime();
    const [near, far] = memoryPair();
    const found = findServer(() => Promise.resolve(near));
    const rejection = assertRejects(() => found, Error, reason);

    script(new Peer(far));
    await time.tickAsync(3000);

    await rejection;
  });
}
