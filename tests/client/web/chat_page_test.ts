import { assert, assertEquals } from "@std/assert";
import { PASSWORD } from "../../../tools/shared/chat_client.ts";
import { browserTest } from "../../support/chromium.ts";
import { joinAs, paste, say, showsTexts, startWebChat } from "./browsing.ts";

browserTest("The chat page", {
  "registers a member, who talks with one at a terminal": async (browser) => {
    await using chat = startWebChat();
    using boris = await chat.enter("Boris");

    const anna = await joinAs(browser, "Anna", chat.url);
    await say(anna, "hello from a browser");
    const heard = await boris.until("message");
    await boris.send({ type: "say", ref: "1", text: "hello from a terminal" });
    await showsTexts(anna, ["hello from a browser", "hello from a terminal"]);

    assertEquals([heard.from, heard.text], ["Anna", "hello from a browser"]);
    const people = await anna.find("list", "People");
    assert(people);
    await anna.find("button", "Boris");
    assertEquals(anna.problems, []);
  },

  "sends a private message by click and by /msg": async (browser) => {
    await using chat = startWebChat();
    using boris = await chat.enter("Boris");
    using carla = await chat.enter("Carla");
    const anna = await joinAs(browser, "Anna", chat.url);

    await anna.click("button", "Boris");
    await say(anna, "for Boris");
    const clicked = await boris.until("message");
    await anna.click("button", "Write to everybody again");
    await say(anna, "/msg carla for Carla");
    const typed = await carla.until("message");
    await say(anna, "for all");
    const open = await carla.until("message");

    assertEquals([clicked.text, clicked.to], ["for Boris", "Boris"]);
    assertEquals([typed.text, typed.to], ["for Carla", "Carla"]);
    assertEquals([open.text, open.to], ["for all", undefined]);
  },

  "says beside the form why a login is refused": async (browser) => {
    await using chat = startWebChat();
    await chat.members.accounts.register("Boris", PASSWORD);
    const page = await browser.page(chat.url);

    await page.fill("Name", "no name");
    await page.click("button", "Register");
    await page.shows("A name is made of letters, digits, _ and -, without spaces");
    await page.fill("Name", "Boris");
    await page.fill("Password", "short");
    await page.click("button", "Register");
    await page.until(
      `document.activeElement.ariaInvalid === "true" && document.activeElement.id === "password"`,
    );
    await page.fill("Password", "long enough");
    await page.click("button", "Register");
    await page.shows("This name is taken, or looks like one that is");
    await page.click("button", "Log in");
    await page.shows("The name or the password is wrong");
  },

  "asks before it sends many lines, and sends each as a message": async (browser) => {
    await using chat = startWebChat();
    const anna = await joinAs(browser, "Anna", chat.url);

    await paste(anna, "one\ntwo\r\n\nthree\n");
    await anna.click("button", "Cancel");
    await paste(anna, "one\ntwo\r\n\nthree\n");
    await anna.click("button", "Send 3 messages");
    await showsTexts(anna, ["one", "two", "three"]);

    assertEquals(chat.textsFor("Anna"), ["one", "two", "three"]);
  },

  "counts unread messages in its title": async (browser) => {
    await using chat = startWebChat();
    using boris = await chat.enter("Boris");
    const anna = await joinAs(browser, "Anna", chat.url);

    await anna.send("Emulation.setFocusEmulationEnabled", { enabled: false });
    await anna.evaluate(
      `Object.defineProperty(document, "hasFocus", { value: () => window.isFocused, configurable: true })`,
    );
    await boris.send({ type: "say", ref: "1", text: "Anna, are you there?" });
    await anna.until(`document.title === "(1) Chat"`);
    await anna.evaluate(`window.isFocused = true; dispatchEvent(new Event("focus"))`);
    await anna.until(`document.title === "Chat"`);

    assertEquals(await anna.evaluate(`document.querySelector("mark").textContent`), "Anna");
  },

  "logs out: its token is gone from the browser and from the server": async (browser) => {
    await using chat = startWebChat();
    const anna = await joinAs(browser, "Anna", chat.url);
    const kept = await anna.evaluate<string>(`localStorage.getItem("framed-logins")`);
    const { token } = JSON.parse(kept)[0];

    await anna.click("button", "Log out");
    await anna.shows("You have logged out.");

    assertEquals(await anna.evaluate("localStorage.length"), 0);
    assertEquals(await anna.evaluate(`document.body.innerText.includes("Anna")`), false);
    assertEquals(await anna.evaluate(`document.getElementById("name").value`), "");
    using client = await chat.connect();
    await client.send({ type: "hello", version: 1, token });
    assertEquals((await client.until("error")).code, "unauthorized");
  },

  "is small, loads from its own server only, and breaks no rule of its policy": async (browser) => {
    await using chat = startWebChat();

    const page = await browser.page(chat.url);
    await page.find("button", "Log in");
    const { host } = new URL(chat.url);
    assertEquals(page.requests.filter((url) => new URL(url).host !== host), []);
    assert(page.requests.length <= 30, page.requests.join("\n"));
    assert(page.receivedBytes < 300_000, `${page.receivedBytes}`);
    assertEquals(page.problems, []);
  },
});
