/**
 * Makes sure that `vendor/` can resolve the imports of `deno.json`: the task `std`.
 *
 * Where JSR, or the mirror that `JSR_URL` names, is within reach, `deno cache` fetches the real standard library, with all
 * that type checks need. Elsewhere the subset in this folder takes its place, under versions such as `1.0.6+offline`. An
 * empty file then marks `vendor/` as ready. Its path follows from the imports, the subset and the registry, so that the task
 * `std:ready`, on which all others depend, need only look for it, which costs a start nothing.
 *
 * @module
 */
import { dirname } from "node:path";

const FETCH_IDLE_MS = 15_000;

/** Where {@linkcode prepareStd} works, and what it uses, which tests replace. */
export interface PrepareStdOptions {
  /** The folder that has `deno.json`, `tools/std/` and `vendor/`. */
  root: string;
  /** Whether to go back to the real standard library although the subset works. */
  refresh: boolean;
  /** The registry of `JSR_URL`, where it is set. */
  mirror?: string | undefined;
  /** How long to wait for the registry's first answer. */
  timeoutMs: number;
  /** Prints a line for the user. */
  print(line: string): void;
  /**
   * Has Deno keep modules and whatever they import in `vendor/`, types included; resolves to whether it has them all.
   * It gives up after `idleMs` without progress.
   */
  fetchAll(specifiers: string[], idleMs: number): Promise<boolean>;
}

/**
 * Prepares `vendor/` unless it is ready, and returns what the user should know, if anything.
 *
 * Any number of processes may do so at once: one works, the others wait for it. One that is interrupted leaves no mark, and the
 * next one starts over. The real standard library is replaced only if it cannot be loaded.
 *
 * @throws {Error} When `refresh` is asked for and the registry is out of reach; `vendor/` then stays as it is.
 */
export async function prepareStd(options: PrepareStdOptions): Promise<string | undefined> {
  const { root, refresh, mirror = "" } = options;
  const registry = registryOf(mirror);
  const packages = listPackages(root, vendorFolder(registry));
  const mark = `${root}/${await readyFolder(root)}/${mirror}/ok`;
  const isReady = () => exists(mark) && packages.every(isThere);
  if (!refresh && isReady()) return;
  Deno.mkdirSync(`${root}/vendor`, { recursive: true });
  using lock = Deno.openSync(`${root}/vendor/.lock`, { write: true, create: true });
  lock.lockSync(true);
  if (!refresh && isReady()) return;
  const isReachable = await answers(registry, options.timeoutMs);
  if (refresh && !isReachable) {
    throw new Error(`Cannot refresh: ${registry} is out of reach. vendor/ stays as it is`);
  }
  removeMarks(root, await readyFolder(root), mark);
  const real = await fetchReal(packages, isReachable, registry, options);
  if (!real) { for (const one of packages) fill(one); }
  Deno.mkdirSync(dirname(mark), { recursive: true });
  Deno.writeTextFileSync(mark, "");
  if (real) return refresh ? "vendor/ has the real standard library" : undefined;
  const state = isReachable ? "stopped answering" : "is out of reach";
  return `${registry} ${state}: vendor/ has the offline subset of the standard library ` +
    "(deno task std --refresh tries again)";
}

/** The folder of the marks for the imports and the subset of this tree, as seen from `root`. */
export async function readyFolder(root: string): Promise<string> {
  const wanted = listPackages(root, "").map(({ name, version, source, files }) => [
    name,
    version,
    files.map((file) => [file, Deno.readTextFileSync(`${source}/${file}`)]),
  ]);
  const text = new TextEncoder().encode(JSON.stringify(wanted));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", text));
  return `vendor/.${digest.toHex().slice(0, 6)}`;
}

/** An interruption from here on leaves a `vendor/` that is not ready. */
function removeMarks(root: string, current: string, mark: string): void {
  if (exists(mark)) Deno.removeSync(mark);
  for (const { name } of Deno.readDirSync(`${root}/vendor`)) {
    if (!/^\.[0-9a-f]{6}$/.test(name) || current.endsWith(name)) continue;
    Deno.removeSync(`${root}/vendor/${name}`, { recursive: true });
  }
}

/** The registry's URL, with a slash at its end. */
function registryOf(mirror: string): string {
  if (mirror === "") return "https://jsr.io/";
  if (URL.canParse(mirror)) return new URL(`${mirror}/`.replace(/\/+$/, "/")).href;
  throw new Error(
    `Cannot use JSR_URL=${JSON.stringify(mirror)}: give a URL such as https://jsr.io/`,
  );
}

/** Where Deno keeps what comes from a registry, below `vendor/`. */
function vendorFolder(registry: string): string {
  const { protocol, hostname, port, pathname } = new URL(registry);
  const scheme = protocol === "https:" ? "" : "http_";
  return `${scheme}${hostname}${port && `_${port}`}${pathname}@std`;
}

interface Package {
  name: string;
  /** As in `deno.json`, such as `jsr:@std/net@^1.0.6`. */
  range: string;
  version: string;
  /** Our files. */
  source: string;
  /** Its place in `vendor/`. */
  target: string;
  /** All our files. */
  files: string[];
  /** The file of each module that may be imported. */
  exports: Record<string, string>;
}

/** The imports of `deno.json`; the exports are the files we have for them. */
function listPackages(root: string, folder: string): Package[] {
  const { imports } = JSON.parse(Deno.readTextFileSync(`${root}/deno.json`));
  return Object.values<string>(imports).map((url) => {
    const [, name, version] = /^jsr:@std\/([a-z-]+)@\^([\d.]+)$/.exec(url) ?? [];
    if (!name || !version) {
      throw new Error(`Cannot prepare the import "${url}": not a range of std`);
    }
    const source = `${root}/tools/std/${name}`;
    const files = [...Deno.readDirSync(source)].map((entry) => entry.name).sort();
    const exports = Object.fromEntries(
      files.filter((file) => !file.startsWith("_")).map((file) => [exportOf(file), `./${file}`]),
    );
    const target = `${root}/vendor/${folder}/${name}`;
    return { name, range: url, version: `${version}+offline`, source, target, files, exports };
  });
}

/** The name under which std exports such a file. */
function exportOf(file: string): string {
  return file === "mod.ts" ? "." : `./${file.replace(".ts", "").replaceAll("_", "-")}`;
}

/** Tries to have the real standard library in `vendor/`. */
async function fetchReal(
  packages: Package[],
  isReachable: boolean,
  registry: string,
  { fetchAll, print, timeoutMs }: PrepareStdOptions,
): Promise<boolean> {
  const offline = packages.filter(isOffline);
  if (offline.length > 0 && !isReachable) return false;
  offline.forEach(remove);
  const specifiers = packages.flatMap(({ range, exports }) =>
    Object.keys(exports).map((key) => range + key.slice(1))
  );
  if (isReachable) print(`Fetching the standard library from ${registry}`);
  // Out of reach, all may be there already.
  return await fetchAll(specifiers, isReachable ? FETCH_IDLE_MS : timeoutMs);
}

/** Whether the registry answers, and not the login page of a network in its place. */
async function answers(registry: string, timeoutMs: number): Promise<boolean> {
  try {
    const url = new URL("@std/assert/meta.json", registry);
    const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) });
    return (await response.json()).name === "assert";
  } catch {
    return false; // no network, no answer in time, or no JSON: out of reach all the same
  }
}

/** Runs `deno cache`, which fetches types as well; a dynamic import would fetch code only. */
async function denoCache(specifiers: string[], idleMs: number): Promise<boolean> {
  const state = Deno.permissions.querySync({ name: "run", command: Deno.execPath() }).state;
  const command = new Deno.Command(state === "granted" ? Deno.execPath() : "deno", {
    args: ["cache", ...specifiers],
    cwd: `${import.meta.dirname}/../..`,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  });
  const child = command.spawn();
  let timer = setTimeout(() => child.kill("SIGKILL"), idleMs);
  for await (const _ of child.stderr) {
    clearTimeout(timer);
    timer = setTimeout(() => child.kill("SIGKILL"), idleMs);
  }
  const { success } = await child.status;
  clearTimeout(timer);
  return success;
}

function isThere({ target }: Package): boolean {
  return exists(`${target}/meta.json`);
}

function isOffline(one: Package): boolean {
  return isThere(one) && Deno.readTextFileSync(`${one.target}/meta.json`).includes("+offline");
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function remove({ target }: Package): void {
  if (exists(target)) Deno.removeSync(target, { recursive: true });
}

/** Lays our files out the way Deno keeps those of a package. */
function fill(one: Package): void {
  const { name, version, source, target, files, exports } = one;
  remove(one);
  Deno.mkdirSync(`${target}/${version}`, { recursive: true });
  for (const file of files) Deno.copyFileSync(`${source}/${file}`, `${target}/${version}/${file}`);
  const write = (file: string, value: unknown) =>
    Deno.writeTextFileSync(`${target}/${file}`, JSON.stringify(value));
  write(`${version}_meta.json`, { manifest: {}, exports });
  write("meta.json", { scope: "std", name, latest: version, versions: { [version]: {} } });
}

if (import.meta.main) {
  try {
    const news = await prepareStd({
      root: `${import.meta.dirname}/../..`,
      refresh: Deno.args.includes("--refresh"),
      mirror: Deno.env.get("JSR_URL"),
      timeoutMs: 3_000,
      print: (line) => console.error(line),
      fetchAll: denoCache,
    });
    if (news) console.error(news);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    Deno.exitCode = 1;
  }
}
