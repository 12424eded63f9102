/**
 * What a server has at its HTTP paths: the page with its modules, and the terminal clients.
 *
 * @module
 */
import { filesIn, type Modules, readModules } from "./modules.ts";

/** One file, ready to be sent. */
export interface WebFile {
  /** Its media type. */
  readonly type: string;
  /** Its bytes. */
  readonly body: Uint8Array<ArrayBuffer>;
  /** Changes with the bytes. */
  readonly tag: string;
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

/** Where `deno run` finds the terminal clients, by the paths of their modules. */
const PROGRAMS: Record<string, string> = { chat: "client/chat.ts", client: "client/main.ts" };

/**
 * Reads all of it. What does not fit together is an error then, and not of one request.
 *
 * @param root The folder that holds `client`, `lib` and `pages`, with a slash at its end.
 * @param server The name of the exercise.
 */
export async function readWebFiles(root: URL, server: string): Promise<WebFiles> {
  const files = new Map<string, WebFile>();
  await addPrograms(files, root);
  await addPage(files, root, server);
  return files;
}

/**
 * Deno never loads a module by the same URL again, whatever its headers say. So each version of the clients has paths
 * of its own, and the programs, whose paths stay the same, ask for the version first.
 */
async function addPrograms(files: Map<string, WebFile>, root: URL): Promise<void> {
  const modules = await readModules(root, Object.values(PROGRAMS));
  const version = await tagOf(encode([...modules].sort().join("\n")));
  for (const [path, source] of modules) {
    const file = await fileOf("ts", source);
    files.set(`/${path}`, file);
    files.set(`/v/${version}/${path}`, file);
  }
  files.set("/version", await fileOf("txt", version));
  for (const [name, path] of Object.entries(PROGRAMS)) {
    files.set(`/${name}`, await fileOf("ts", programOf(path)));
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

/** The page of the exercise, and what it loads: modules as JavaScript, and files of other kinds. */
async function addPage(files: Map<string, WebFile>, root: URL, server: string): Promise<void> {
  const entries = await filesIn(root, "client/web", true);
  // Loaded where it is used: imported, it would delay the start of every server.
  const { stripTypeScriptTypes } = globalThis.process.getBuiltinModule("node:module");
  const modules: Modules = await readModules(
    root,
    entries,
    (source) => stripTypeScriptTypes(source),
  );
  for (const [path, source] of modules) files.set(`/web/${path}`, await fileOf("js", source));
  const page = server === "chat" ? "pages/chat.html" : "pages/exercise.html";
  for (const path of await filesIn(root, "pages")) {
    const kind = path.replace(/^.*\./, "");
    const text = await Deno.readTextFile(new URL(path, root));
    if (path === page) files.set("/", await fileOf(kind, text.replaceAll("{{server}}", server)));
    else if (kind !== "html") files.set(`/web/${path}`, await fileOf(kind, text));
  }
}

async function fileOf(kind: string, text: string): Promise<WebFile> {
  const body = encode(text);
  return { type: TYPES[kind]!, body, tag: `"${await tagOf(body)}"` };
}

function encode(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

async function tagOf(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return new Uint8Array(digest).toHex().slice(0, 16);
}
