import { assertEquals } from "@std/assert";
import { browserTest } from "../../support/chromium.ts";
import { ServerProcess } from "../../../tools/shared/server_process.ts";
import { PASSWORD } from "../../../tools/shared/chat_client.ts";
import { joinAs, say, showsTexts, startWebChat } from "./browsing.ts";

// The answer that a message is stored does not reach the page.
const LOSE_SAID = `{
  const { parse } = JSON;
  JSON.parse = (text) => text.includes('"said"') ? {} : parse(text);
}`;

browserTest("The chat page, when its connection breaks,", {
  "says what it waits for during a pause, and sends what was written": async (browser) => {
    await using chat = startWebChat();
    const anna = await joinAs(browser, "Anna", chat.url);
    await say(anna, "before");

    await showsTexts(anna, ["before"]);
    await chat.server.pause();
    await anna.until(`document.querySelector("[role=status]").textContent.startsWith(
      "The server pauses. The page connects again when it is back.")`);
    await say(anna, "first");
    await say(anna, "second");
    await anna.shows("2 messages will be sent then.");
    await chat.server.resume();
    await showsTexts(anna, ["before", "first", "second"]);
    await anna.until(`document.querySelector("[role=status]").textContent === ""`);

    assertEquals(chat.textsFor("Anna"), ["before", "first", "second"]);
  },

  "loses and doubles nothing when the server is killed and started again": async (browser) => {
    const data = await Deno.makeTempDir();
    let server = await ServerProcess.start("chat", [], { data });
    const { port } = server;
    const url = `http://127.0.0.1:${port}/`;
    const [anna, boris] = [await joinAs(browser, "Anna", url), await joinAs(browser, "Boris", url)];
    const texts = Array.from({ length: 9 }, (_, i) => `message ${i}`);

    try {
      for (const [i, text] of texts.entries()) {
        await say(i % 2 === 0 ? anna : boris, text);
        if (i % 3 !== 2) {
          // In this order in both pages.
          await anna.shows(text);
          await boris.shows(text);
          continue;
        }
        server.kill("SIGKILL");
        await server.ended();
        server = await ServerProcess.start("chat", [`--port=${port}`], { data });
        for (const page of [anna, boris]) await showsTexts(page, texts.slice(0, i + 1));
      }
    } finally {
      await server[Symbol.asyncDispose]();
      await Deno.remove(data, { recursive: true });
    }
  },

  "asks before it is left with unsent messages, and a reload neither loses nor doubles them":
    async (
      browser,
    ) => {
      await using chat = startWebChat();
      using boris = await chat.enter("Boris");
      const anna = await joinAs(browser, "Anna", chat.url);
      await anna.evaluate(LOSE_SAID);
      await say(anna, "stored");
      await say(anna, "waiting");
      await say(anna, "/msg Boris in private");
      await anna.shows("waits to be sent");
      assertEquals((await boris.until("message")).text, "stored");

      await anna.open(chat.url);
      await showsTexts(anna, ["stored", "waiting", "in private"]);
      assertEquals((await boris.until("message")).text, "waiting");

      assertEquals(anna.dialogs, ["beforeunload"]);
      assertEquals(chat.textsFor("Anna"), ["stored", "waiting", "in private"]);
      await anna.until("sessionStorage.length === 0");
    },

  "shows private messages that a login after a reload is too late for": async (browser) => {
    await using chat = startWebChat();
    await using _boris = await chat.enter("Boris");
    const anna = await joinAs(browser, "Anna", chat.url);
    await anna.evaluate(LOSE_SAID);
    await say(anna, "to all");
    await say(anna, "/msg Boris in private");
    await anna.shows("waits to be sent");
    await anna.evaluate("localStorage.clear()");

    await anna.open(chat.url);
    await anna.fill("Name", "Anna");
    await anna.fill("Password", PASSWORD);
    await anna.click("button", "Log in");

    await anna.shows("may be another user's now: in private");
    await showsTexts(anna, ["to all"]);
    assertEquals(chat.textsFor("Anna"), ["to all"]);
  },

  "notices after a sleep that the connection is dead": async (browser) => {
    await using chat = startWebChat();
    const anna = await joinAs(browser, "Anna", chat.url);
    await anna.evaluate(`{
      const send = WebSocket.prototype.send;
      window.isAsleep = true; // what is sent goes nowhere
      WebSocket.prototype.send = function (text) {
        if (!window.isAsleep) send.call(this, text);
      };
    }`);
    await say(anna, "during the sleep");
    await anna.evaluate(`dispatchEvent(new Event("online"))`);

    await anna.until(`document.querySelector("[role=status]").textContent !== ""`);
    await anna.evaluate(`window.isAsleep = false`);
    await showsTexts(anna, ["during the sleep"]);

    assertEquals(chat.textsFor("Anna"), ["during the sleep"]);
  },

  "lets two tabs of one user in by one login, and ends both with a logout": async (browser) => {
    await using chat = startWebChat();
    const first = await joinAs(browser, "Anna", chat.url);
    const second = await browser.page(chat.url, { tabOf: first });

    await first.send("Page.bringToFront");
    await say(first, "from the first");
    await showsTexts(second, ["from the first"]);
    await second.send("Page.bringToFront");
    await say(second, "from the second");
    for (const tab of [first, second]) await showsTexts(tab, ["from the first", "from the second"]);
    await first.send("Page.bringToFront");
    await first.click("button", "Log out");
    await first.shows("You have logged out.");
    await second.find("button", "Log in");

    assertEquals(await second.evaluate("localStorage.length"), 0);
    assertEquals(chat.textsFor("Anna"), ["from the first", "from the second"]);
  },

  "lets a reloaded page in by its token, and keeps that from a server with other data": async (
    browser,
  ) => {
    const first = await ServerProcess.start("chat");
    const { port } = first;
    const url = `http://127.0.0.1:${port}/`;
    const anna = await joinAs(browser, "Anna", url);

    await anna.open(url);
    await anna.find("textbox", "Message");
    await first[Symbol.asyncDispose]();
    await using _other = await ServerProcess.start("chat", [`--port=${port}`]);
    await anna.open(url);

    await anna.shows("The login of Anna is not sent: this is another server");
    assertEquals(await anna.evaluate("document.getElementById('name').value"), "Anna");
  },
});
