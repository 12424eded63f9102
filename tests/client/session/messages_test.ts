import { assertEquals } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { PING_MS } from "../../../client/session/connection.ts";
import { MAX_TRIES } from "../../../client/session/pending.ts";
import { isPending, passTime } from "../../support/turns.ts";
import { HELLO, openSession, UNAUTHORIZED, WELCOME } from "./scripted_server.ts";

Deno.test("ChatSession.run() lets nobody say what another has typed", async () => {
  const texts: unknown[] = [];
  const names = ["anna", "boris"];
  const { session, heard } = openSession([
    async (peer) => void await peer.welcome(),
    async (peer) => {
      await peer.next();
      peer.say(HELLO, UNAUTHORIZED);
    },
    async (peer) => {
      await peer.welcome({ name: "boris" });
      await session.entered;
      session.say("by Boris");
      texts.push((await peer.until("say"))["text"]);
      peer.logOut();
    },
  ], {
    credentials: () => Promise.resolve({ name: names.shift()!, password: "pw", register: false }),
    onWait: () => void session.say("by Anna"),
  });

  await session.run();

  assertEquals(texts, ["by Boris"]);
  assertEquals(heard.filter(({ own }) => own).map(({ own, message }) => [own, message]), [
    ["by Anna", "You were anna when you typed it"],
  ]);
});

Deno.test("ChatSession.run() tells a replayed message of its own once", async () => {
  const refs: unknown[] = [];
  const { session, heard } = openSession([
    async (peer) => {
      await peer.welcome();
      refs.push((await peer.next())?.["ref"]); // stored as 1; the connection breaks before `said`
    },
    async (peer) => {
      await peer.welcome({ last: 1 });
      peer.say({ type: "message", id: 1, at: 1, from: "anna", text: "hi", replay: true });
      const again = await peer.next();
      refs.push(again?.["ref"]);
      peer.say({ type: "said", ref: again?.["ref"], id: 1 });
      peer.logOut();
    },
  ]);
  session.say("hi");

  await session.run();

  assertEquals(refs[0], refs[1]);
  const shown = heard.filter(({ type, own }) => type === "message" || own !== undefined);
  assertEquals(shown.map(({ id, text }) => [id, text]), [[1, "hi"]]);
});

Deno.test("ChatSession.run() tells a message once, however often it comes", async () => {
  const message = { type: "message", id: 7, at: 1, from: "boris", text: "hi", replay: true };
  const { session, heard } = openSession([async (peer) => {
    await peer.welcome({ last: 7 });
    peer.say(message, message);
    peer.logOut();
  }]);

  await session.run();

  assertEquals(heard.filter(({ type }) => type === "message"), [message]);
});

Deno.test("ChatSession.run() comes back after the last id where nothing was for it to see", async () => {
  const sinces: unknown[] = [];
  const { session } = openSession([
    async (peer) => {
      await peer.welcome({ last: 7 });
      assertEquals(await peer.next(), { type: "ping" });
      peer.say({ type: "pong" });
    },
    async (peer) => {
      sinces.push((await peer.welcome({ last: 90 }))["since"]);
      peer.logOut();
    },
  ]);

  await session.run();

  assertEquals(sinces, [7]);
});

Deno.test("ChatSession.request() tells the pong of a ping that was asked for, and no other", async () => {
  const { session, heard } = openSession([async (peer) => {
    await peer.welcome({ last: 7 });
    // The session asks by itself whether anything was for it to see.
    assertEquals(await peer.next(), { type: "ping" });
    peer.say({ type: "pong" });
    assertEquals(session.request({ type: "ping" }), true);
    assertEquals(await peer.next(), { type: "ping" });
    peer.say({ type: "pong" });
    peer.logOut();
  }]);

  assertEquals(session.request({ type: "ping" }), false);
  await session.run();

  assertEquals(heard.filter(({ type }) => type === "pong"), [{ type: "pong" }]);
});

Deno.test("ChatSession.say() has one message on its way at a time", async () => {
  const order: unknown[] = [];
  const { session } = openSession([async (peer) => {
    await peer.welcome();
    const first = await peer.next();
    for (const text of ["b", "c"]) session.say(text);
    session.request({ type: "whoami" });
    order.push((await peer.next())?.["type"]);
    for (let id = 1, message = first; id <= 3; id++) {
      order.push(message?.["text"]);
      peer.say({ type: "said", ref: message?.["ref"], id });
      if (id < 3) message = await peer.next();
    }
    peer.logOut();
  }]);
  session.say("a");

  await session.run();

  assertEquals(order, ["whoami", "a", "b", "c"]);
});

Deno.test("ChatSession.say() refuses what no frame of the server's size can hold", () => {
  const { session } = openSession([]);

  assertEquals(
    session.say("x".repeat(16384)),
    "A text has at most 4096 bytes of UTF-8: send it in parts",
  );
  assertEquals(
    session.say("\x01".repeat(4096)),
    "A message has at most 16384 bytes as JSON: send the text in parts",
  );
  assertEquals(session.pending.count, 0);
});

Deno.test("ChatSession sends a message that came too fast again after the time told", async () => {
  using time = new FakeTime();
  const sentAt: number[] = [];
  const { session } = openSession([async (peer) => {
    await peer.welcome();
    const { ref } = (await peer.next())!;
    sentAt.push(time.now);
    peer.say({ type: "error", code: "too_fast", message: "Slow", ref, retryAfterMs: 200 });
    assertEquals((await peer.next())?.["ref"], ref);
    sentAt.push(time.now);
    peer.logOut();
  }]);
  session.say("hi");

  const ended = session.run();
  await passTime(time, 199, 1);
  await ended;

  assertEquals(sentAt[1]! - sentAt[0]!, 200);
});

Deno.test("ChatSession gives a message up that is refused for good, and sends the next", async () => {
  const { session, heard } = openSession([async (peer) => {
    await peer.welcome();
    const { ref } = (await peer.next())!;
    peer.say({ type: "error", code: "no_such_user", message: "Nobody", ref });
    assertEquals((await peer.until("say"))["text"], "next");
    peer.logOut();
  }]);
  session.say("psst", { to: "ghost" });
  session.say("next");

  await session.run();

  assertEquals(heard.find(({ type }) => type === "error")?.["own"], "psst");
});

Deno.test("ChatSession asks a server that cannot store a few times", async () => {
  using time = new FakeTime();
  let tries = 0;
  const { session, heard } = openSession([async (peer) => {
    await peer.welcome();
    for (let message; (message = await peer.next())?.["text"] === "hi"; tries++) {
      const { ref } = message!;
      peer.say({ type: "error", code: "unavailable", message: "Disk full", ref });
    }
    peer.logOut();
  }]);
  session.say("hi");
  session.say("end");

  const ended = session.run();
  await passTime(time, ...Array(MAX_TRIES).fill(4000));
  await ended;

  assertEquals(tries, MAX_TRIES);
  assertEquals(heard.filter(({ own }) => own === "hi").length, 1);
});

Deno.test("ChatSession says nothing before it is let in again", async () => {
  const got: unknown[] = [];
  const { session } = openSession([
    async (peer) => {
      await peer.welcome();
    },
    async (peer) => {
      got.push((await peer.next())?.["type"]);
      session.say("typed meanwhile");
      got.push(session.request({ type: "who" }));
      const next = peer.next();
      got.push(await isPending(next));
      peer.say(HELLO);
      got.push((await next)?.["type"]);
      peer.say(HELLO, WELCOME);
      got.push((await peer.next())?.["type"]);
      peer.logOut();
    },
  ]);

  await session.run();

  assertEquals(got, ["hello", false, true, "hello", "say"]);
});

Deno.test("ChatSession that wants no history misses nothing that is said in a break", async () => {
  const { session } = openSession([
    async (peer) => {
      await peer.welcome({ last: 7 });
    },
    async (peer) => {
      since.push((await peer.welcome({ last: 9 }))["since"]);
      peer.logOut();
    },
  ], { history: 0 });
  const since: unknown[] = [];

  await session.run();

  assertEquals(since, [7]);
});

Deno.test("ChatSession takes a server that has lost its history as a new one", async () => {
  const { session, heard } = openSession([
    async (peer) => {
      await peer.welcome({ last: 0 });
      peer.say({ type: "message", id: 90, at: 1, from: "boris", text: "old" });
    },
    async (peer) => {
      await peer.welcome({ last: 2 });
      peer.say({ type: "message", id: 3, at: 1, from: "boris", text: "new" });
      peer.logOut();
    },
  ]);

  await session.run();

  assertEquals(heard.filter(({ type }) => type === "message").map(({ id }) => id), [90, 3]);
});

Deno.test("ChatSession skips what it does not understand", async () => {
  const { session, heard } = openSession([async (peer) => {
    await peer.welcome();
    peer.say({ type: "weather" }, { type: "message", id: "1" }, { type: "notice", text: "on" });
    peer.logOut();
  }]);

  await session.run();

  assertEquals(heard.map(({ type }) => type), ["hello", "welcome", "notice", "bye"]);
});

Deno.test("ChatSession.settled() gives up when nothing happens", async () => {
  using time = new FakeTime();
  const { session } = openSession([async (peer) => {
    await peer.welcome();
    await peer.next();
    await peer.next(); // and never `said`
  }]);
  session.say("hi");
  const ended = session.run();

  const settled = session.settled(1000);
  await passTime(time, 1000);

  assertEquals(await settled, false);
  session.close();
  assertEquals(await ended, "closed");
});

Deno.test("ChatSession receives nothing more until a message is taken, and does not think the server dead", async () => {
  using time = new FakeTime();
  const output = Promise.withResolvers<void>();
  const heard: string[] = [];
  const { session } = openSession([async (peer) => {
    await peer.welcome();
    for (let i = 0; i < 50; i++) peer.say({ type: "notice", text: "x" });
    await output.promise;
    peer.logOut();
  }], {
    onMessage: ({ type }) => {
      heard.push(type);
      return type === "notice" ? output.promise : Promise.resolve();
    },
  });

  const ended = session.run();
  await passTime(time, PING_MS, PING_MS, PING_MS);
  assertEquals(heard, ["hello", "welcome", "notice"]);
  output.resolve();

  assertEquals([await ended, heard.length], ["logged_out", 53]);
});
