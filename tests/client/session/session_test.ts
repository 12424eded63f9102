import { assertEquals, assertRejects } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { FIRST_ANSWER_MS, PING_MS, WrongServerError } from "../../../client/session/connection.ts";
import type { Refusal } from "../../../client/session/session_login.ts";
import { isPending, passTime } from "../../support/turns.ts";
import { HELLO, type Json, KEPT, MemoryLogins, openSession, WELCOME } from "./scripted_server.ts";

Deno.test("ChatSession.run() sends the password only after the server's hello", async () => {
  const seen: (Json | null)[] = [];
  const { session } = openSession([async (peer) => {
    seen.push(await peer.next());
    peer.say(HELLO);
    seen.push(await peer.next());
    peer.say(WELCOME);
    peer.logOut();
  }], { history: 5 });

  assertEquals(await session.run(), "logged_out");

  assertEquals(seen, [
    { type: "hello", version: 1, history: 5 },
    { type: "login", name: "anna", password: "pw" },
  ]);
});

Deno.test("ChatSession.run() comes back by the token and the highest id", async () => {
  const hellos: (Json | null)[] = [];
  const { session } = openSession([
    async (peer) => {
      hellos.push(await peer.welcome({ last: 7 }));
      peer.say({ type: "message", id: 7, at: 1, from: "boris", text: "hi", replay: true });
    },
    async (peer) => {
      hellos.push(await peer.welcome({ last: 7 }));
      peer.logOut();
    },
  ]);

  await session.run();

  assertEquals(hellos[1], { type: "hello", version: 1, token: "t1", since: 7 });
});

Deno.test("ChatSession.run() never sends a password twice by itself", async () => {
  const asked: (string | undefined)[] = [];
  const { session } = openSession([
    async (peer) => {
      await peer.next();
      peer.say(HELLO);
      await peer.next(); // the password; the connection breaks before the answer
    },
  ], {
    credentials: (refusal) => {
      asked.push(refusal?.code);
      return Promise.resolve(refusal ? null : { name: "anna", password: "pw", register: true });
    },
  });

  assertEquals(await session.run(), "given_up");
  assertEquals(asked, [undefined, "lost"]);
});

Deno.test("ChatSession.run() asks again after a refusal, and keeps no connection open for long", async () => {
  using time = new FakeTime();
  const refusal = { type: "error", code: "throttled", message: "Later", retryAfterMs: 4000 };
  const asked: (Refusal | undefined)[] = [];
  const answer = Promise.withResolvers<null>();
  const isClosed = Promise.withResolvers<null>();
  const { session } = openSession([async (peer) => {
    await peer.next();
    peer.say(HELLO);
    await peer.next();
    peer.say(refusal);
    isClosed.resolve(await peer.next() as null);
  }], {
    credentials: (refusal) => {
      asked.push(refusal);
      if (refusal) return answer.promise;
      return Promise.resolve({ name: "anna", password: "pw", register: false });
    },
  });

  const ended = session.run();
  await passTime(time, 4999);
  assertEquals(await isPending(isClosed.promise), true);
  await passTime(time, 1);
  assertEquals(await isClosed.promise, null);
  answer.resolve(null);

  assertEquals(await ended, "given_up");
  assertEquals(asked.map((refusal) => refusal?.retryAfterMs), [undefined, 4000]);
});

Deno.test("ChatSession.run() does not make a person wait who has answered a refusal", async () => {
  let waits = 0;
  const { session } = openSession([
    async (peer) => {
      await peer.next();
      peer.say(HELLO);
      await peer.next();
      peer.say({ type: "error", code: "bad_credentials", message: "Wrong" });
    },
    async (peer) => {
      await peer.welcome();
      peer.logOut();
    },
  ], {
    credentials: () => Promise.resolve({ name: "anna", password: "pw", register: false }),
    onWait: () => waits++,
  });
  let hasEntered = false;
  session.entered.then(() => hasEntered = true);

  assertEquals(await session.run(), "logged_out");
  assertEquals([waits, hasEntered], [0, true]);
});

Deno.test("ChatSession leaves a server that does not answer a ping within 30 s", async () => {
  using time = new FakeTime();
  const pings: unknown[] = [];
  const waits: unknown[] = [];
  const { session } = openSession([
    async (peer) => {
      await peer.welcome();
      pings.push((await peer.next())?.["type"]);
      peer.say({ type: "pong" });
      pings.push((await peer.next())?.["type"]);
      await new Promise(() => {}); // no answer
    },
    async (peer) => {
      await peer.welcome();
      peer.logOut();
    },
  ], { onWait: ({ error }) => waits.push((error as Error).message) });

  const ended = session.run();
  await passTime(time, PING_MS, PING_MS, PING_MS, 1);
  await ended;

  assertEquals(pings, ["ping", "ping"]);
  assertEquals(waits, ["the server does not answer"]);
});

Deno.test("ChatSession leaves a server that has not said anything after 10 s, and says what to check", async () => {
  using time = new FakeTime();
  const waits: unknown[] = [];
  const { session } = openSession([
    () => new Promise(() => {}), // as an HTTP server that waits for the rest of a request
    async (peer) => {
      await peer.welcome();
      peer.logOut();
    },
  ], { onWait: ({ error }) => waits.push((error as Error).message) });

  const ended = session.run();
  await passTime(time, FIRST_ANSWER_MS, 1);
  await ended;

  assertEquals(waits, ["the server does not answer: check the port, it may be another server's"]);
});

Deno.test("ChatSession leaves a server that has not let it in after 30 s", async () => {
  using time = new FakeTime();
  const { session } = openSession([
    async (peer) => {
      await peer.next();
      peer.say(HELLO);
      await new Promise(() => {}); // no welcome
    },
  ], { logins: new MemoryLogins(KEPT), credentials: () => Promise.resolve({ name: "anna" }) });

  const ended = session.run();
  await passTime(time, PING_MS, PING_MS);

  assertEquals(await ended, "logged_out"); // by the next server
});

Deno.test("ChatSession.run() ends when the operator has ended the connection", async () => {
  const { session } = openSession([async (peer) => {
    await peer.welcome();
    peer.say({ type: "bye", reason: "kicked" });
  }]);

  assertEquals(await session.run(), "kicked");
});

Deno.test("ChatSession.run() stays away as long as a goodbye asks", async () => {
  using time = new FakeTime();
  let delayMs = 0;
  const { session } = openSession([(peer) => {
    peer.say({ type: "bye", reason: "full", retryAfterMs: 5000 });
    return Promise.resolve();
  }, async (peer) => {
    await peer.welcome();
    peer.logOut();
  }], { onWait: (wait) => delayMs = wait.delayMs });

  const ended = session.run();
  await passTime(time, 1, 5000);
  await ended;

  assertEquals(delayMs, 5000);
});

for (
  const [what, answer] of [
    ["an echo of its own hello", JSON.stringify({ type: "hello", version: 1 })],
    ["a text", "What is your name?"],
    ["another version", JSON.stringify({ ...HELLO, version: 2 })],
  ] as const
) {
  Deno.test(`ChatSession.run() rejects when the server answers with ${what}`, async () => {
    const { session } = openSession([async (peer) => {
      await peer.next();
      await peer.conn.send(answer);
      await peer.next();
    }]);

    await assertRejects(() => session.run(), WrongServerError, "Cannot talk to this server");
  });
}

Deno.test("ChatSession.run() says that a server which closes without a hello may speak TLS", async () => {
  const waits: string[] = [];
  const { session } = openSession([
    async (peer) => void await peer.next(),
    async (peer) => void await peer.welcome(),
  ], { onWait: ({ error }) => waits.push((error as Error).message) });

  await session.run();

  assertEquals(waits, [
    "the server closed the connection without a hello: it may speak TLS (--tls)",
    "the server closed the connection",
  ]);
});
