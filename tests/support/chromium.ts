/**
 * A real browser for tests: Chromium without a window, driven over its DevTools protocol.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { assert } from "@std/assert";
import { PROCESSES } from "./permissions.ts";

const PROGRAM = "/usr/bin/chromium";
/** What is waited for in vain fails the test after this time, in milliseconds. */
const PATIENCE_MS = 30_000;

/** The parts of a protocol message that are used here. */
interface Message {
  id?: number;
  sessionId?: string;
  method?: string;
  // deno-lint-ignore no-explicit-any -- the protocol has hundreds of shapes
  params?: any;
  // deno-lint-ignore no-explicit-any
  result?: any;
  error?: { message: string };
}

/** One element of the accessibility tree, as a screen reader is told about it. */
export interface Accessible {
  role: string;
  name: string;
  /** The number of its element. */
  node: number;
}

/** How a page looks to its server and to its style sheet. */
export interface PageOptions {
  /** @default {"en-US"} */
  language?: string;
  /** In CSS pixels. @default {1200} */
  width?: number;
  /** In CSS pixels. @default {800} */
  height?: number;
  /** @default {false} */
  isDark?: boolean;
  /** A page that shares the storage of this one, as another tab does. */
  tabOf?: Page;
  /** In a private window, the browser opens no connections in advance. @default {true} */
  isPrivate?: boolean;
}

/** The connection to the browser: commands and their answers, and events. */
class DevTools {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, PromiseWithResolvers<Message["result"]>>();
  readonly #closed = Promise.withResolvers<void>();
  readonly listeners = new Set<(message: Message) => void>();
  #lastId = 0;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#take(JSON.parse(data));
    socket.onclose = () => {
      for (const { reject } of this.#waiting.values()) reject(new Error("The browser has ended"));
      this.#closed.resolve();
    };
  }

  static async connect(url: string): Promise<DevTools> {
    const socket = new WebSocket(url);
    const devTools = new DevTools(socket);
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = reject;
    });
    return devTools;
  }

  send(method: string, params: object = {}, sessionId?: string): Promise<Message["result"]> {
    const id = ++this.#lastId;
    const answer = Promise.withResolvers<Message["result"]>();
    this.#waiting.set(id, answer);
    this.#socket.send(JSON.stringify({ id, method, params, ...(sessionId && { sessionId }) }));
    return answer.promise;
  }

  async close(): Promise<void> {
    this.#socket.close();
    await this.#closed.promise;
  }

  #take(message: Message): void {
    if (message.id === undefined) return this.listeners.forEach((listener) => listener(message));
    const answer = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (message.error) answer?.reject(new Error(message.error.message));
    else answer?.resolve(message.result);
  }
}

/** A page in the browser. */
export class Page {
  /** The addresses that were asked for, WebSockets included. */
  readonly requests: string[] = [];
  /** How many bytes came as answers, heads included. */
  receivedBytes = 0;
  /** The kinds of the browser's own dialogs, such as `beforeunload`: each is answered with yes. */
  readonly dialogs: string[] = [];
  /** Errors that nothing handled, and what the browser blocked. */
  readonly problems: string[] = [];
  /** The storage that other tabs share. */
  readonly contextId: string | undefined;
  readonly #devTools: DevTools;
  readonly #sessionId: string;

  constructor(devTools: DevTools, contextId: string | undefined, sessionId: string) {
    this.#devTools = devTools;
    this.contextId = contextId;
    this.#sessionId = sessionId;
    devTools.listeners.add((message) => message.sessionId === sessionId && this.#note(message));
  }

  /** Sends a command of the protocol. */
  send(method: string, params: object = {}): Promise<Message["result"]> {
    return this.#devTools.send(method, params, this.#sessionId);
  }

  /** Opens an address, and waits until it is loaded. */
  async open(url: string): Promise<void> {
    const loaded = Promise.withResolvers<void>();
    const listener = ({ method, sessionId }: Message) => {
      if (method === "Page.loadEventFired" && sessionId === this.#sessionId) loaded.resolve();
    };
    this.#devTools.listeners.add(listener);
    await this.send("Page.navigate", { url });
    await loaded.promise;
    this.#devTools.listeners.delete(listener);
  }

  /** Gives the value of an expression in the page, once it is settled. */
  async evaluate<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = await this.send("Runtime.evaluate", {
      expression,
      awaitPromise: true,
      returnByValue: true,
    });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? expression);
    return result.value;
  }

  /** Waits until an expression holds in the page, which is tried at each change of it; gives its value. */
  async until<T>(expression: string): Promise<T> {
    const { value, shown } = await this.evaluate<{ value: T; shown: string }>(
      `new Promise((resolve) => {
      const done = (value) => {
        observer.disconnect();
        clearInterval(ticks);
        clearTimeout(deadline);
        resolve({ value, shown: document.body.innerText });
      };
      const attempt = () => {
        const value = (${expression});
        if (value) done(value);
      };
      const observer = new MutationObserver(attempt);
      const ticks = setInterval(attempt, 50); // for what changes no element: scrolling, styles, the title
      const deadline = setTimeout(() => done(undefined), ${PATIENCE_MS});
      observer.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
      attempt();
    })`,
    );
    assert(value, `${expression} never holds; the page shows: ${shown}`);
    return value;
  }

  /** Waits until the page shows a text. */
  async shows(text: string): Promise<void> {
    await this.until(`document.body.innerText.includes(${JSON.stringify(text)})`);
  }

  /** The whole accessibility tree. */
  async accessible(): Promise<Accessible[]> {
    const { nodes } = await this.send("Accessibility.getFullAXTree");
    return nodes.filter(({ ignored }: { ignored: boolean }) => !ignored).map(
      // deno-lint-ignore no-explicit-any
      ({ role, name, backendDOMNodeId }: any) => ({
        role: role?.value ?? "",
        name: name?.value ?? "",
        node: backendDOMNodeId,
      }),
    );
  }

  /** Waits for an element with a role and a name, which may be a pattern. */
  async find(role: string, name: string | RegExp): Promise<Accessible> {
    const deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      const all = await this.accessible();
      const found = all.find((each) =>
        each.role === role && (typeof name === "string" ? each.name === name : name.test(each.name))
      );
      if (found) return found;
      assert(performance.now() < deadline, `There is no ${role} ${name}: ${JSON.stringify(all)}`);
      await this.#changed();
    }
  }

  /** Clicks on an element as a person does, at the place where it is. */
  async click(role: string, name: string | RegExp): Promise<void> {
    const { node: backendNodeId } = await this.find(role, name);
    await this.send("DOM.scrollIntoViewIfNeeded", { backendNodeId });
    const { quads: [[x1, y1, , , x2, y2]] } = await this.send("DOM.getContentQuads", {
      backendNodeId,
    });
    const place = { x: (x1 + x2) / 2, y: (y1 + y2) / 2, button: "left", clickCount: 1 };
    for (const type of ["mousePressed", "mouseReleased"]) {
      await this.send("Input.dispatchMouseEvent", { type, ...place });
    }
  }

  /** Gives an element the focus. */
  async focus(role: string, name: string): Promise<void> {
    await this.send("DOM.focus", { backendNodeId: (await this.find(role, name)).node });
  }

  /** Types a text into a text box, in place of what it holds. */
  async fill(name: string, text: string): Promise<void> {
    await this.focus("textbox", name);
    await this.evaluate("document.activeElement.select()");
    if (text === "") await this.press("Backspace");
    else await this.send("Input.insertText", { text });
  }

  /** Presses a key, as `Enter`. */
  async press(key: string): Promise<void> {
    const codes: Record<string, number> = { Enter: 13, Tab: 9, Escape: 27, Backspace: 8 };
    const windowsVirtualKeyCode = codes[key];
    const text = key === "Enter" ? { text: "\r" } : {};
    const shared = { key, code: key, windowsVirtualKeyCode };
    await this.send("Input.dispatchKeyEvent", { type: "keyDown", ...shared, ...text });
    await this.send("Input.dispatchKeyEvent", { type: "keyUp", ...shared });
  }

  #changed(): Promise<void> {
    return this.evaluate(`new Promise((resolve) => {
      const done = () => {
        observer.disconnect();
        clearTimeout(timer);
        resolve();
      };
      const observer = new MutationObserver(done);
      const timer = setTimeout(done, 100); // it may have changed before
      observer.observe(document, { subtree: true, childList: true, attributes: true });
    })`);
  }

  #note({ method, params }: Message): void {
    if (method === "Network.requestWillBeSent") this.requests.push(params.request.url);
    else if (method === "Network.webSocketCreated") this.requests.push(params.url);
    else if (method === "Network.loadingFinished") this.receivedBytes += params.encodedDataLength;
    else if (method === "Runtime.exceptionThrown") {
      const { exception, text } = params.exceptionDetails;
      this.problems.push(exception?.description ?? text);
    } else if (method === "Log.entryAdded" && params.entry.source === "security") {
      this.problems.push(params.entry.text);
    } else if (method === "Page.javascriptDialogOpening") {
      this.dialogs.push(params.type);
      this.send("Page.handleJavaScriptDialog", { accept: true });
    }
  }
}

/** A browser with a profile of its own, which ends with it. */
export class Chromium {
  readonly #devTools: DevTools;
  readonly #child: Deno.ChildProcess;
  readonly #profile: string;
  readonly #drained: Promise<void>;
  readonly #contexts = new Set<string>();

  constructor(
    devTools: DevTools,
    child: Deno.ChildProcess,
    profile: string,
    drained: Promise<void>,
  ) {
    this.#devTools = devTools;
    this.#child = child;
    this.#profile = profile;
    this.#drained = drained;
  }

  static async start(): Promise<Chromium> {
    const profile = await Deno.makeTempDir();
    const child = new Deno.Command(PROGRAM, {
      args: [
        "--headless=new",
        "--no-sandbox",
        "--no-first-run",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-component-update",
        "--ignore-certificate-errors",
        "--remote-debugging-port=0",
        `--user-data-dir=${profile}`,
        "about:blank",
      ],
      env: { HOME: profile },
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const url = Promise.withResolvers<string>();
    const drained = readAll(child.stderr, (text) => {
      const address = /DevTools listening on (ws:\S+)\n/.exec(text)?.[1];
      if (address) url.resolve(address);
    }).finally(() => url.reject(new Error("Chromium does not start")));
    return new Chromium(await DevTools.connect(await url.promise), child, profile, drained);
  }

  async page(url: string, options: PageOptions = {}): Promise<Page> {
    const { language = "en-US", width = 1200, height = 800, isDark = false, tabOf } = options;
    const isPrivate = options.isPrivate ?? true;
    const browserContextId = tabOf?.contextId ?? (isPrivate ? await this.#newContext() : undefined);
    const { targetId } = await this.#devTools.send("Target.createTarget", {
      url: "about:blank",
      browserContextId,
    });
    const { sessionId } = await this.#devTools.send("Target.attachToTarget", {
      targetId,
      flatten: true,
    });
    const page = new Page(this.#devTools, browserContextId, sessionId);
    for (const domain of ["Page", "Runtime", "Network", "Log", "DOM", "Accessibility"]) {
      await page.send(`${domain}.enable`);
    }
    await page.send("Emulation.setDeviceMetricsOverride", {
      ...{ width, height, deviceScaleFactor: 1, mobile: width < 600 },
    });
    await page.send("Emulation.setEmulatedMedia", {
      features: [{ name: "prefers-color-scheme", value: isDark ? "dark" : "light" }],
    });
    const userAgent = await page.evaluate("navigator.userAgent");
    await page.send("Network.setUserAgentOverride", { userAgent, acceptLanguage: language });
    await page.send("Emulation.setFocusEmulationEnabled", { enabled: true });
    await page.open(url);
    return page;
  }

  async #newContext(): Promise<string> {
    const { browserContextId } = await this.#devTools.send("Target.createBrowserContext");
    this.#contexts.add(browserContextId);
    return browserContextId;
  }

  /** Closes all pages, and forgets what they stored. */
  async closePages(): Promise<void> {
    for (const browserContextId of this.#contexts) {
      await this.#devTools.send("Target.disposeBrowserContext", { browserContextId });
    }
    this.#contexts.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#devTools.send("Browser.close").catch(() => this.#child.kill("SIGKILL"));
    await this.#child.status;
    await this.#devTools.close();
    await this.#drained;
    await Deno.remove(this.#profile, { recursive: true });
  }
}

/** Reads a stream to its end; `onText` gets the beginning of it. */
async function readAll(stream: ReadableStream<Uint8Array>, onText: (text: string) => void) {
  let text = "";
  for await (const chunk of stream) {
    if (text.length < 10_000) onText(text += new TextDecoder().decode(chunk));
  }
}

function whyNot(): string | undefined {
  const missing = PROCESSES.find((need) => Deno.permissions.querySync(need).state !== "granted");
  if (missing) return `needs --allow-${missing.name}`;
  return existsSync(PROGRAM) ? undefined : `needs ${PROGRAM}`;
}

const REASON = whyNot();

/** Registers a test whose steps share a browser, or one that is skipped where there is none. */
export function browserTest(
  name: string,
  steps: Record<string, (browser: Chromium) => Promise<void>>,
): void {
  if (REASON !== undefined) {
    return Deno.test({ name: `${name} (skipped: ${REASON})`, ignore: true, fn: () => {} });
  }
  Deno.test(name, async (t) => {
    await using browser = await Chromium.start();
    for (const [name, run] of Object.entries(steps)) {
      await t.step(name, () => run(browser).finally(() => browser.closePages()));
    }
  });
}
