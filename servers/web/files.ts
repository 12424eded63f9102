/**
 * What a server has at its HTTP paths: the page with its modules, and the terminal clients.
 *
 * @module
 */
import { readModules } from "./modules.ts";

/** One file, ready to be sent. */
export interface WebFile {
  /** Its media type. */
  readonly type: string;
  /** Its bytes. */
  readonly body: Uint8Array<ArrayBuffer>;
  /** Changes with the bytes. */
  readonly tag: string;
  /** How long it may be kept: the `Cache-Control` of its responses. */
  readonly caching: string;
}

/** Files by URL path. */
export type WebFiles = ReadonlyMap<string, WebFile>;

const TYPES: Record<string, string> = {
  css: "text/css; charset=utf-8",
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  svg: "image/svg+xml",
  ts: "application/typescript; charset=utf-8",
  txt: "text/plain; charset=utf-8",
};

/** The modules of the terminal clients, by the short paths that `deno run` finds them at too. */
const PROGRAMS: Record<string, string> = { chat: "client/chat.ts", client: "client/main.ts" };

/** What a page loads beside its modules. */
const OTHERS = ["pages/icon.svg", "pages/style.css"];
const SCRIPT = /<script type="module" src="{{ web }}\/([^"]+)">/;

/**
 * Reads all of it. What does not fit together is an error then, and not of one request.
 *
 * @param root The folder that holds `client`, `lib` and `pages`, with a slash at its end.
 * @param server The name of the exercise.
 */
export async function readWebFiles(root: URL, server: string): Promise<WebFiles> {
  const files = new Map<string, WebFile>();
  await Promise.all([addPrograms(files, root), addPage(files, root, server)]);
  return files;
}

/**
 * Deno never loads a module by the same URL again, whatever its headers say. So each version of the clients has paths
 * of its own, and the programs, whose paths stay the same, ask for the version first.
 */
async function addPrograms(files: Map<string, WebFile>, root: URL): Promise<void> {
  const modules = readModules(root, Object.values(PROGRAMS));
  const version = await versionOf(modules);
  for (const [path, source] of modules) {
    files.set(`/v/${version}/${path}`, versionedFile("ts", source, version));
  }
  files.set("/version", await newestFile("txt", version));
  for (const [name, path] of Object.entries(PROGRAMS)) {
    const program = await newestFile("ts", programOf(path));
    files.set(`/${name}`, program).set(`/${path}`, program);
  }
}

function programOf(path: string): string {
  return `// Runs the version of the client that fits the server.
const response = await fetch(new URL("/version", import.meta.url));
const url = new URL(\`/v/\${await response.text()}/${path}\`, import.meta.url);
const { main } = await import(url.href);
await main();
`;
}

/** The page of the exercise, and what it loads: modules as JavaScript, a style sheet and a picture. */
async function addPage(files: Map<string, WebFile>, root: URL, server: string): Promise<void> {
  const read = (path: string) => Deno.readTextFileSync(new URL(path, root));
  const page = read(server === "chat" ? "pages/chat.html" : "pages/exercise.html");
  // Loaded where it is used: imported, it would delay the start of every server.
  const { stripTypeScriptTypes } = globalThis.process.getBuiltinModule("node:module");
  const entry = SCRIPT.exec(page)?.[1] ?? "";
  const modules = readModules(root, [entry], (source) => stripTypeScriptTypes(source));
  const others = new Map(OTHERS.map((path) => [path, read(path)]));
  const version = await versionOf(new Map([...modules, ...others]));
  const web = `/web/${version}`;
  for (const [path, text] of modules) {
    files.set(`${web}/${path}`, versionedFile("js", text, version));
  }
  for (const [path, text] of others) {
    files.set(`${web}/${path}`, versionedFile(path.replace(/^.*\./, ""), text, version));
  }
  // With their names in the page, a browser need not find the modules one after the other.
  const links = [...modules.keys()].map((path) =>
    `<link rel="modulepreload" href="${web}/${path}">`
  );
  const parts: Record<string, string> = { server, web, modules: links.join("\n    ") };
  const html = page.replace(/{{ (\w+) }}/g, (_, part: string) => parts[part] ?? "");
  files.set("/", await newestFile("html", html));
}

/** A file at a path that changes with it: a browser keeps it. */
function versionedFile(kind: string, text: string, version: string): WebFile {
  const caching = "public, max-age=31536000, immutable";
  return { type: TYPES[kind]!, body: encode(text), tag: `"${version}"`, caching };
}

/** A file at a path that stays: a browser asks each time whether what it has is the newest. */
async function newestFile(kind: string, text: string): Promise<WebFile> {
  const body = encode(text);
  return { type: TYPES[kind]!, body, tag: `"${await tagOf(body)}"`, caching: "no-cache" };
}

/** Changes with any of the texts. */
function versionOf(texts: ReadonlyMap<string, string>): Promise<string> {
  return tagOf(encode([...texts].sort().join("\n")));
}

function encode(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

async function tagOf(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return new Uint8Array(digest).toHex().slice(0, 16);
}
