/// <reference lib="dom" />
/**
 * Starts the chat of the page.
 *
 * @module
 */

import { WrongServerError } from "../../session/connection.ts";
import { byId } from "../shared/dom.ts";
import { texts, translatePage } from "../shared/texts.ts";
import { ChatPage } from "./chat_page.ts";

translatePage();
document.title = texts.chat;
try {
  await new ChatPage().run();
} catch (error) {
  byId("banner").textContent = error instanceof WrongServerError ? texts.wrongServer : texts.failed;
  throw error;
}
