import { assert, assertEquals } from "@std/assert";
import { browserTest, type Page, type PageOptions } from "../../support/chromium.ts";
import { joinAs, say, startWebChat } from "./browsing.ts";

/** The texts whose contrast to what is behind them is below 4.5 : 1, the AA level of WCAG 2. */
function faintTexts(page: Page): Promise<string[]> {
  return page.evaluate(`(() => {
    const channels = (color) => color.match(/[\\d.]+/g).map(Number);
    const luminance = (rgb) => rgb.slice(0, 3).map((value) => value / 255)
      .map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
      .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
    const behind = (element) => {
      for (let each = element; each; each = each.parentElement) {
        const color = channels(getComputedStyle(each).backgroundColor);
        if (color.length === 3 || color[3] === 1) return color;
      }
      return [255, 255, 255];
    };
    const faint = [];
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let text; (text = texts.nextNode());) {
      const element = text.parentElement;
      if (text.data.trim() === "" || element.getClientRects().length === 0) continue;
      const levels = [channels(getComputedStyle(element).color), behind(element)].map(luminance);
      const ratio = (Math.max(...levels) + 0.05) / (Math.min(...levels) + 0.05);
      if (ratio < 4.5) faint.push(text.data.trim() + " " + ratio.toFixed(2));
    }
    return faint;
  })()`);
}

/** A page with all kinds of rows. */
async function fullPage(
  browser: Parameters<Parameters<typeof browserTest>[1][string]>[0],
  chat: ReturnType<typeof startWebChat>,
  url: string,
  options: PageOptions,
): Promise<Page> {
  // One of each colour.
  const names = [
    "Boris",
    "Carla",
    "Dora",
    "Emil",
    "Fatima",
    "Georg",
    "Hanna",
    "Igor",
    "Julia",
    "Karl",
  ];
  const anna = await joinAs(browser, "Anna", url, options);
  for (const [i, name] of names.entries()) {
    using client = await chat.enter(name);
    await client.send({ type: "say", ref: "1", text: `Anna, this is ${i}: https://example.org/` });
    await client.send({ type: "tell", ref: "2", to: "Anna", text: "a private message" });
    await client.all();
  }
  await say(anna, "an own message");
  await say(anna, "/msg Karl a private one");
  await say(anna, "/msg Nemo to no one");
  await anna.shows("Not sent: There is no user of that name: to no one");
  await chat.server.pause();
  await anna.shows("What you write now is sent then.");
  await say(anna, "a waiting message");
  await anna.shows("waits to be sent");
  return anna;
}

browserTest("The chat page", {
  "has enough contrast everywhere, in a light and in a dark browser": async (browser) => {
    for (const isDark of [false, true]) {
      await using chat = startWebChat();
      const form = await browser.page(chat.url, { isDark });
      await form.find("button", "Log in");
      assertEquals(await faintTexts(form), []);

      const page = await fullPage(browser, chat, chat.url, { isDark });

      assertEquals(await faintTexts(page), []);
      const background = await page.evaluate("getComputedStyle(document.body).backgroundColor");
      assertEquals(background, isDark ? "rgb(18, 21, 26)" : "rgb(238, 241, 245)");
    }
  },

  "names everything for a screen reader": async (browser) => {
    await using chat = startWebChat();
    const page = await browser.page(chat.url);
    await page.find("button", "Register");

    const form = (await page.accessible()).map(({ role, name }) => `${role} ${name}`);
    await page.fill("Name", "Anna");
    await page.fill("Password", "correct horse");
    await page.click("button", "Register");
    await page.find("textbox", "Message");
    const inside = (await page.accessible()).map(({ role, name }) => `${role} ${name}`);

    for (const each of ["textbox Name", "textbox Password", "button Log in", "button Register"]) {
      assert(form.includes(each), `${each} is not in ${form}`);
    }
    const wanted = ["log Messages", "list People", "status ", "textbox Message", "button Send"];
    for (const each of [...wanted, "button Log out", "main "]) {
      assert(inside.includes(each), `${each} is not in ${inside}`);
    }
    const nameless = inside.filter((each) => /^(button|textbox|link|list|log|dialog) $/.test(each));
    assertEquals(nameless, []);
    assertEquals(await page.evaluate("document.documentElement.lang"), "en");
  },

  "is used by keyboard alone": async (browser) => {
    await using chat = startWebChat();
    using boris = await chat.enter("Boris");
    const page = await browser.page(chat.url);
    await page.find("button", "Register");

    // The form begins with the focus on the name.
    await page.send("Input.insertText", { text: "Anna" });
    await page.press("Tab");
    await page.send("Input.insertText", { text: "correct horse" });
    await page.press("Tab");
    await page.press("Tab");
    await page.press("Enter");
    await page.find("button", "Boris");
    await page.until(`document.activeElement.id === "message"`);
    const outline = await page.evaluate("getComputedStyle(document.activeElement).outlineWidth");
    await page.send("Input.insertText", { text: "typed" });
    await page.press("Enter");

    assertEquals((await boris.until("message")).text, "typed");
    assertEquals(outline, "3px");
  },

  "fits a phone: nothing is cut off, and people are a tap away": async (browser) => {
    await using chat = startWebChat();
    const page = await fullPage(browser, chat, chat.url, { width: 320, height: 568 });

    const overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
    assertEquals(await page.evaluate(overflow), 0);
    await page.click("button", /^People: \d+$/);
    await page.until(`document.getElementById("people").getBoundingClientRect().right <= 320`);
    const targets = await page.evaluate<number[]>(
      `Array.from(document.querySelectorAll("button:not(.name)"), (button) => button.offsetHeight)`,
    );
    assertEquals(targets.filter((height) => height > 0 && height < 24), []);
    await page.press("Escape");
    await page.until(`getComputedStyle(document.getElementById("people")).visibility === "hidden"`);
  },

  "speaks Russian in a Russian browser": async (browser) => {
    await using chat = startWebChat();
    const page = await browser.page(chat.url, { language: "ru-RU" });

    await page.fill("Имя", "Анна");
    await page.fill("Пароль", "коротко");
    await page.click("button", "Зарегистрироваться");
    await page.shows("Новый пароль: от 8 знаков.");
    await page.fill("Пароль", "достаточно длинный");
    await page.click("button", "Войти");
    await page.shows("Неверное имя или пароль");
    await page.click("button", "Зарегистрироваться");
    await page.fill("Сообщение", "привет");
    await page.click("button", "Отправить");
    await page.shows("привет");
    await chat.server.pause();
    await page.shows("Сервер на паузе.");
    await page.fill("Сообщение", "потом");
    await page.press("Enter");
    await page.shows("Будет отправлено: 1 сообщение.");

    await page.find("list", "Участники");
    assertEquals(await page.evaluate("document.documentElement.lang"), "ru");
    const shown = await page.evaluate<string>("document.body.innerText");
    assertEquals(shown.match(/[a-z]{3,}/gi), null);
  },
});
