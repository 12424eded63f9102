/// <reference lib="dom" />
/**
 * The page of a server that is not a chat: send a line, see the answers, and the bytes of each frame.
 *
 * @module
 */

import { parseServerMessage, PROTOCOL_VERSION } from "../../../lib/chat/protocol.ts";
import { Reconnector } from "../../../lib/conn/reconnect.ts";
import { byId } from "../shared/dom.ts";
import { reasonOf, texts, translatePage } from "../shared/texts.ts";
import { type BrowserConn, openWebSocket, socketUrl } from "../shared/browser_conn.ts";
import { frameView } from "./frame_view.ts";

/** The most frames in the page. */
const MAX_FRAMES = 100;
const MAX_BACKOFF_MS = 5000;

/** Talks to a server as its exercise says: in lines, or in the JSON messages of the authentication server. */
class ExercisePage {
  readonly #server = document.querySelector<HTMLMetaElement>("meta[name=server]")!.content;
  readonly #log = byId("log");
  readonly #banner = byId("banner");
  readonly #composer = byId("composer", HTMLFormElement);
  readonly #box = byId("message", HTMLTextAreaElement);
  readonly #login = byId("login-form", HTMLFormElement);
  readonly #name = byId("name", HTMLInputElement);
  readonly #password = byId("password", HTMLInputElement);
  readonly #problem = byId("login-problem");
  #conn: BrowserConn | undefined;
  #isIn = false;
  #lastRef = 0;

  get #hasAccounts(): boolean {
    return this.#server === "auth";
  }

  /** Fills the page, and listens to it. */
  constructor() {
    document.title = byId("server").textContent = this.#server;
    byId("about").textContent = aboutOf(this.#server);
    this.#box.placeholder = texts.message;
    this.#composer.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#sendLine();
    });
    this.#box.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#sendLine();
    });
    this.#login.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#logIn(event.submitter === byId("register") ? "register" : "login");
    });
  }

  /** Connects. */
  async run(): Promise<void> {
    // A server ends a connection without a login after a while: it is opened when there is something to log in with.
    if (this.#hasAccounts) return this.#show("");
    const reconnector = new Reconnector((signal) => openWebSocket(socketUrl(location), signal), {
      maxMs: MAX_BACKOFF_MS,
      isRetriable: () => true,
      onWait: () => this.#show(texts.lostExercise),
    });
    this.#show(texts.connecting);
    for (;;) {
      const conn = await reconnector.connect();
      this.#show("");
      await this.#receive(conn);
    }
  }

  async #receive(conn: BrowserConn): Promise<void> {
    this.#conn = conn;
    try {
      for (let text; (text = await conn.receive()) !== null;) {
        this.#add("received", text);
        if (this.#hasAccounts) this.#take(text);
      }
    } catch {
      // Lost: the same follows as when the server closes it.
    }
    this.#conn = undefined;
    this.#isIn = false;
  }

  #take(text: string): void {
    const message = parseServerMessage(text);
    if (message?.type === "welcome") {
      this.#isIn = true;
      this.#password.value = this.#problem.textContent = "";
      this.#show("");
      this.#box.focus();
    } else if (message?.type === "error" && !this.#isIn) {
      this.#problem.textContent = reasonOf(message);
    }
  }

  async #logIn(type: "login" | "register"): Promise<void> {
    this.#problem.textContent = "";
    try {
      if (!this.#conn) this.#greet(await openWebSocket(socketUrl(location)));
      this.#send({ type, name: this.#name.value, password: this.#password.value });
    } catch {
      this.#problem.textContent = texts.noAnswer;
    }
  }

  #greet(conn: BrowserConn): void {
    this.#receive(conn).then(() => this.#show(""));
    this.#send({ type: "hello", version: PROTOCOL_VERSION });
  }

  #sendLine(): void {
    if (!this.#conn) return;
    const { value } = this.#box;
    if (this.#hasAccounts) this.#send({ type: "say", ref: `${++this.#lastRef}`, text: value });
    else this.#send(value);
    this.#box.value = "";
    this.#box.focus();
  }

  #send(message: object | string): void {
    const text = typeof message === "string" ? message : JSON.stringify(message);
    // Where it fails the connection is lost, and that is shown.
    this.#conn?.send(text.toWellFormed()).catch(() => {});
    this.#add("sent", text);
  }

  /** The newest frame stands first: beside the box that it came from. */
  #add(direction: "sent" | "received", text: string): void {
    this.#log.prepend(frameView(direction, text, { hidesSecrets: this.#hasAccounts }));
    while (this.#log.childElementCount > MAX_FRAMES) this.#log.lastElementChild!.remove();
  }

  #show(banner: string): void {
    this.#banner.textContent = banner;
    const isReady = banner === "";
    this.#login.hidden = !isReady || !this.#hasAccounts || this.#isIn;
    this.#composer.hidden = !isReady || this.#hasAccounts && !this.#isIn;
    // On a phone, the focus would open a keyboard over half of the screen.
    const isFree = document.activeElement === document.body;
    if (!isFree || matchMedia("(pointer: coarse)").matches) return;
    (this.#login.hidden ? this.#box : this.#name).focus();
  }
}

function aboutOf(server: string): string {
  if (server === "auth") return texts.aboutAuth;
  if (server === "identify") return texts.aboutIdentify;
  return server === "threads" ? texts.aboutThreads : texts.aboutEcho;
}

translatePage();
await new ExercisePage().run();
