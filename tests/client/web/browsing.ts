/**
 * Members of a chat who sit at a browser.
 *
 * @module
 */
import { PASSWORD } from "../../../tools/shared/chat_client.ts";
import type { Chromium, Page, PageOptions } from "../../support/chromium.ts";

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
