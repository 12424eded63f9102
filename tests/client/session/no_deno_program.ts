/**
 * A program that takes `Deno` and `process` away, as in a browser, and then talks to a chat in memory.
 *
 * @module
 */
Reflect.deleteProperty(globalThis, "Deno");
Reflect.deleteProperty(globalThis, "process");
const { ChatSession } = await import("../../../client/session/session.ts");
const { HELLO, memoryPair, Peer } = await import("./scripted_server.ts");

const [near, far] = memoryPair();
const peer = new Peer(far);
const session = new ChatSession({
  connect: () => Promise.resolve(near),
  credentials: () => Promise.resolve({ name: "anna", password: "pw", register: false }),
  onMessage: (_, own) => {
    if (own) console.log(own.text);
  },
});
session.say("hello from a browser");
const ended = session.run();
await peer.welcome({}, HELLO);
const { ref } = await peer.until("say");
peer.say({ type: "said", ref, id: 1 });
peer.logOut();
console.log(await ended);
