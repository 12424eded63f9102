import { assertEquals } from "@std/assert";
import { browserTest } from "../../support/chromium.ts";
import { joinAs, startHostileServer, startWebChat } from "./browsing.ts";

const HOSTILE: [sent: string, shown: string][] = [
  ["<img src=x onerror=alert(1)>", "<img src=x onerror=alert(1)>"],
  ["<script>document.title = 'owned'</script>", "<script>document.title = 'owned'</script>"],
  ["&lt;b&gt; &#x202e;", "&lt;b&gt; &#x202e;"],
  ["\u202egnp.exe", "\\u{202e}gnp.exe"],
  ["\x1b[2J\x07", "\\x1b[2J\\x07"],
  ["two\nlines\u2028three", "two\\nlines\\u{2028}three"],
  ["zero\u200bwidth\ufeff", "zero\\u{200b}width\\u{feff}"],
];

const LINKS: [text: string, href: string | null][] = [
  ["https://example.org/a?b=c#d", "https://example.org/a?b=c#d"],
  ["see http://example.org/x.", "http://example.org/x"],
  ["(https://example.org/a_(b))", "https://example.org/a_(b)"],
  ["javascript:alert(1)", null],
  ["data:text/html,<script>alert(1)</script>", null],
  ["https://user:word@example.org/", null],
  ["https://example.org/\u202egnp", null],
  ['https://example.org/"onclick="alert(1)', "https://example.org/"],
];

browserTest("The chat page shows hostile texts as text:", {
  "of a member": async (browser) => {
    await using chat = startWebChat();
    using mallory = await chat.enter("Mallory");
    const anna = await joinAs(browser, "Anna", chat.url);

    for (const [i, [text]] of HOSTILE.entries()) {
      await mallory.send({ type: "say", ref: `${i}`, text });
    }
    await anna.until(`document.querySelectorAll("[role=log] .text").length === ${HOSTILE.length}`);

    const shown = await anna.evaluate<string[]>(
      `Array.from(document.querySelectorAll("[role=log] .text"), (text) => text.textContent)`,
    );
    assertEquals(shown, HOSTILE.map(([, shown]) => shown));
    assertEquals(
      await anna.evaluate(`document.querySelectorAll("[role=log] :is(img, script, b)").length`),
      0,
    );
    assertEquals(anna.problems, []);
  },

  "addresses, of which only safe ones are links": async (browser) => {
    await using chat = startWebChat();
    using mallory = await chat.enter("Mallory");
    const anna = await joinAs(browser, "Anna", chat.url);

    for (const [i, [text]] of LINKS.entries()) {
      await mallory.send({ type: "say", ref: `${i}`, text });
    }
    await anna.until(`document.querySelectorAll("[role=log] .text").length === ${LINKS.length}`);

    const links = await anna.evaluate<[string | null, string | null][]>(
      `Array.from(document.querySelectorAll("[role=log] .text"), (text) => {
        const link = text.querySelector("a");
        return [link?.href ?? null, link?.rel ?? null];
      })`,
    );
    assertEquals(links, LINKS.map(([, href]) => [href, href && "noopener noreferrer"]));
  },

  "of a server: names, notices, errors and reasons": async (browser) => {
    const evil = `<b onclick=alert(1)>\u202e\x1b[2J`;
    const shown = `<b onclick=alert(1)>\\u{202e}\\x1b[2J`;
    await using hostile = startHostileServer((message) => {
      if (message["type"] === "hello") {
        return [{ type: "hello", version: 1, server: evil, data: evil }];
      }
      if (message["type"] === "register") {
        return [
          {
            type: "welcome",
            name: "Anna",
            token: "t",
            expires: 1,
            last: 0,
            text: `welcome ${evil}`,
          },
          {
            type: "message",
            id: 1,
            at: 8.64e15 + 1,
            from: `from ${evil}`,
            to: evil,
            text: `text ${evil}`,
          },
          { type: "users", names: [`user ${evil}`, "constructor", "__proto__"] },
          { type: "joined", name: `joined ${evil}`, at: 0 },
          { type: "notice", text: `notice ${evil}` },
          { type: "error", code: "constructor", message: `error ${evil}` },
          { type: "unknown", text: evil },
          { type: "message", id: "2", text: 7 },
        ];
      }
      return message["type"] === "who" ? [{ type: "bye", reason: "toString" }] : [];
    });

    const anna = await joinAs(browser, "Anna", hostile.url);

    for (const what of ["welcome", "from", "text", "user", "joined", "notice", "error"]) {
      await anna.shows(`${what} ${shown}`);
    }
    assertEquals(await anna.evaluate(`document.querySelectorAll("b").length`), 0);
    assertEquals(anna.problems, []);
  },

  "of a server that is none of this protocol": async (browser) => {
    await using hostile = startHostileServer(() => [["<b>no message</b>"]]);
    const page = await browser.page(hostile.url);
    await page.fill("Name", "Anna");
    await page.fill("Password", "correct horse");

    await page.click("button", "Log in");

    await page.shows("The server is another one now, or of another version: reload the page.");
  },
});
