import { assert, assertEquals } from "@std/assert";
import { RecentBrowsers } from "../../../lib/server/http_protocol.ts";
import { serve } from "../../../lib/server/server.ts";
import { openSite } from "../../../servers/web/site.ts";
import { ServerProcess } from "../../../tools/shared/server_process.ts";
import { browserTest, type Page } from "../../support/chromium.ts";
import { Events } from "../../support/events.ts";
import { startWebChat } from "./browsing.ts";

/** The rows of the newest frame: label, bytes and meaning. */
function newestFrame(page: Page): Promise<string[][]> {
  return page.evaluate(`Array.from(document.querySelectorAll("article:first-child tr"), (row) =>
    Array.from(row.children, (cell) => cell.textContent))`);
}

function urlOf({ port }: ServerProcess): string {
  return `http://127.0.0.1:${port}/`;
}

browserTest("The page of an exercise", {
  "shows the bytes of a line and of its echo": async (browser) => {
    for (const name of ["echo", "threads"]) {
      await using server = await ServerProcess.start(name);
      const page = await browser.page(urlOf(server));
      await page.until(`document.activeElement.id === "message"`);

      await page.send("Input.insertText", { text: "hi, \u00fc!" });
      await page.press("Enter");
      await page.until(`document.querySelectorAll("article.received").length === 1`);

      assertEquals(await newestFrame(page), [
        ["header", "00 00 00 07", "7 bytes follow"],
        ["body", "68 69 2c 20 c3 bc 21", "hi, ..!"],
      ]);
      assertEquals(await page.evaluate(`document.querySelectorAll("article.sent").length`), 1);
      assertEquals(page.problems, []);
      assert(page.requests.length <= 30);
    }
  },

  "talks to the identification server, which asks for a name once": async (browser) => {
    await using server = await ServerProcess.start("identify");
    const page = await browser.page(urlOf(server));
    await page.until(`document.querySelectorAll("article.received").length === 1`);

    await page.fill("Message", "Anna");
    await page.press("Enter");

    await page.shows("Nice to meet you, Anna!");
    await page.open(urlOf(server));
    await page.shows("Hello, Anna!");
  },

  "loads where the browser has opened a connection in advance that was greeted": async (
    browser,
  ) => {
    const events = new Events();
    const browsers = new RecentBrowsers();
    const http = { ...openSite({ name: "identify", host: "127.0.0.1" }, browsers), browsers };
    await using server = serve(async (conn) => {
      await conn.send("What is your name?");
      await conn.receive();
    }, { port: 0, onEvent: events.take, http: { ...http, silenceMs: 50 } });
    await using other = startWebChat();
    const url = `http://127.0.0.1:${server.addr.port}/`;
    const page = await browser.page(other.url, { isPrivate: false });
    await page.evaluate(`{
      const link = document.createElement("link");
      link.rel = "preconnect";
      link.href = ${JSON.stringify(url)};
      document.head.append(link);
    }`);
    await events.next("sent");

    // The first attempt shows an error: the browser tries again by itself.
    await page.send("Page.navigate", { url });
    for (;;) {
      const { conn } = await events.next("connected");
      if (conn.protocol === "websocket") break;
    }

    assertEquals(await page.evaluate("location.href"), url);
    await page.shows("What is your name?");
  },

  "logs in at the authentication server, and shows neither password nor token": async (browser) => {
    await using server = await ServerProcess.start("auth");
    const page = await browser.page(urlOf(server));
    await page.until(`document.activeElement.id === "name"`);
    await page.send("Input.insertText", { text: "Anna" });
    await page.fill("Password", "correct horse");
    await page.click("button", "Log in");
    await page.shows("The name or the password is wrong");

    await page.click("button", "Register");
    await page.fill("Message", "hello");
    await page.press("Enter");

    await page.shows("Anna: hello");
    const shown = await page.evaluate<string>("document.body.innerText");
    assertEquals(shown.includes("correct horse"), false);
    assert(/"token":"\*{43}"/.test(shown), shown);
  },

  "is the same at each address of this machine": async (browser) => {
    for (const [flag, host] of [["127.0.0.1", "localhost"], ["::1", "[::1]"]]) {
      await using server = await ServerProcess.start("echo", [`--host=${flag}`]);
      const page = await browser.page(`http://${host}:${server.port}/`);

      await page.fill("Message", "hello");
      await page.press("Enter");

      await page.until(`document.querySelectorAll("article.received").length === 1`);
      assertEquals(page.problems, []);
    }
  },

  "connects again after a pause": async (browser) => {
    await using server = await ServerProcess.start("echo");
    const page = await browser.page(urlOf(server));
    await page.find("textbox", "Message");

    await server.command("pause");
    await page.until(`document.querySelector("[role=status]").textContent !== ""`);
    await server.command("resume");
    await page.fill("Message", "back again");
    await page.press("Enter");

    await page.until(`document.querySelectorAll("article.received").length >= 1`);
    await page.shows("back again");
  },
});
