/**
 * Members of a chat who sit at a browser.
 *
 * @module
 */
import { serve } from "../../../lib/server/server.ts";
import { openSite } from "../../../servers/web/site.ts";
import { PASSWORD } from "../../../tools/shared/chat_client.ts";
import { startChat } from "../../support/chat_server.ts";
import type { Chromium, Page, PageOptions } from "../../support/chromium.ts";

const http = () => openSite({ name: "chat", host: "127.0.0.1" });

/** Starts a chat that browsers can use. */
export function startWebChat() {
  const chat = startChat({ http: http() });
  return { ...chat, url: `http://127.0.0.1:${chat.server.addr.port}/` };
}

/** Starts a server that answers each message of a client with what it likes, as JSON. */
export function startHostileServer(answer: (message: Record<string, unknown>) => object[]) {
  const server = serve(async (conn) => {
    for (let text; (text = await conn.receive()) !== null;) {
      for (const message of answer(JSON.parse(text))) await conn.send(JSON.stringify(message));
    }
  }, { port: 0, http: http() });
  return {
    url: `http://127.0.0.1:${server.addr.port}/`,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** Opens the page of a server and makes an account there; settles when the member is in the chat. */
export async function joinAs(
  browser: Chromium,
  name: string,
  url: string,
  options: PageOptions = {},
): Promise<Page> {
  const page = await browser.page(url, options);
  await page.fill("Name", name);
  await page.fill("Password", PASSWORD);
  await page.click("button", "Register");
  await page.find("textbox", "Message");
  return page;
}

/** Says something by the box and Enter, as most people do. */
export async function say(page: Page, text: string): Promise<void> {
  await page.fill("Message", text);
  await page.press("Enter");
}

/** The texts of the messages in the page, in their order. */
export function textsIn(page: Page): Promise<string[]> {
  return page.evaluate(
    `Array.from(document.querySelectorAll("[role=log] .text"), (text) => text.textContent)`,
  );
}

/** Waits until the page shows exactly these messages. */
export async function showsTexts(page: Page, texts: string[]): Promise<void> {
  await page.until(`JSON.stringify(${JSON.stringify(texts)}) ===
    JSON.stringify(Array.from(document.querySelectorAll("[role=log] .text"), (text) => text.textContent))`);
}

/** Pastes a text into the box for messages. */
export async function paste(page: Page, text: string): Promise<void> {
  await page.focus("textbox", "Message");
  await page.evaluate(`{
    const clipboardData = new DataTransfer();
    clipboardData.setData("text/plain", ${JSON.stringify(text)});
    const init = { clipboardData, bubbles: true, cancelable: true };
    document.activeElement.dispatchEvent(new ClipboardEvent("paste", init));
  }`);
}
