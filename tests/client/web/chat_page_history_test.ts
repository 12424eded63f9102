import { assert, assertEquals } from "@std/assert";
import { PASSWORD } from "../../../tools/shared/chat_client.ts";
import { browserTest, type Page } from "../../support/chromium.ts";
import { joinAs, say, startWebChat, textsIn } from "./browsing.ts";

const COUNT = 4000;
const TEXTS = Array.from({ length: COUNT }, (_, i) => `message ${i + 1}`);

/** Scrolls to an edge until a text is in the page; gives the largest number of messages that was there. */
function scrollTo(page: Page, edge: "start" | "end", text: string): Promise<number> {
  return page.evaluate(`new Promise((resolve, reject) => {
    const log = document.querySelector("[role=log]");
    const deadline = setTimeout(() => reject(new Error(log.innerText.slice(0, 200))), 240_000); // a busy machine
    let most = 0;
    const step = () => {
      const texts = Array.from(log.querySelectorAll(".text"), (each) => each.textContent);
      most = Math.max(most, texts.length);
      if (texts.includes(${JSON.stringify(text)})) {
        clearTimeout(deadline);
        return resolve(most);
      }
      log.scrollTop = ${edge === "start" ? "0" : "log.scrollHeight"};
      requestAnimationFrame(step);
    };
    step();
  })`);
}

/** Fails unless the messages in the page follow one another without a gap. */
async function assertNoGap(page: Page, newer = 0): Promise<void> {
  const all = await textsIn(page);
  const texts = all.slice(0, all.length - newer);
  const first = TEXTS.indexOf(texts[0]!);
  assertEquals(texts, TEXTS.slice(first, first + texts.length));
}

browserTest("The chat page scrolls through a long history", {
  "to its beginning and back, with a bounded number of elements": async (browser) => {
    await using chat = startWebChat();
    await chat.members.accounts.register("Boris", PASSWORD);
    chat.append("Boris", TEXTS);
    const anna = await joinAs(browser, "Anna", chat.url);
    await anna.shows(TEXTS.at(-1)!);

    const most = await scrollTo(anna, "start", TEXTS[0]!);
    await anna.evaluate(`document.querySelector("[role=log]").scrollTop = 0`);
    await anna.shows("This is the beginning");
    await assertNoGap(anna);
    const mostBack = await scrollTo(anna, "end", TEXTS.at(-1)!);
    await assertNoGap(anna);

    assert(Math.max(most, mostBack) <= 500, `${most}, ${mostBack}`);
    assertEquals(anna.problems, []);
  },

  "keeps the place of the reader when earlier messages come": async (browser) => {
    await using chat = startWebChat();
    await chat.members.accounts.register("Boris", PASSWORD);
    chat.append("Boris", TEXTS);
    const anna = await joinAs(browser, "Anna", chat.url);
    await anna.shows(TEXTS.at(-1)!);

    const moved = await anna.evaluate<number>(`new Promise((resolve) => {
      const log = document.querySelector("[role=log]");
      const row = log.querySelectorAll(".text")[3];
      const count = log.querySelectorAll(".text").length;
      row.scrollIntoView();
      const before = row.getBoundingClientRect().top;
      const observer = new MutationObserver(() => {
        if (log.querySelectorAll(".text").length === count) return;
        observer.disconnect();
        resolve(Math.abs(row.getBoundingClientRect().top - before));
      });
      observer.observe(log, { childList: true });
    })`);

    assert(moved <= 1, `${moved} px`);
  },

  "leads from the beginning to the newest message by one click, and by an own message": async (
    browser,
  ) => {
    await using chat = startWebChat();
    using boris = await chat.enter("Boris");
    chat.append("Boris", TEXTS);
    const anna = await joinAs(browser, "Anna", chat.url);

    await scrollTo(anna, "start", TEXTS[0]!);
    await boris.send({ type: "say", ref: "new", text: "something new" });
    await anna.click("button", "1 new message");
    await anna.shows("something new");
    await scrollTo(anna, "start", TEXTS[0]!);
    await say(anna, "an answer");
    await anna.until(`JSON.stringify(["something new", "an answer"]) === JSON.stringify(
      Array.from(document.querySelectorAll("[role=log] .text"), (text) => text.textContent).slice(-2))`);
    await assertNoGap(anna, 2);
  },
});
