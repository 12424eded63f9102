/**
 * Makes sure that `vendor/` can resolve the imports of `deno.json`: the task `std`.
 *
 * Where JSR is within reach, Deno fetches the real standard library; elsewhere Deno may have it in its cache. If neither is
 * so, the subset in this folder takes its place, under versions such as `1.0.6+offline`. An empty file then marks `vendor/` as
 * ready. Its name follows from the imports and from the subset, so that the task `std:ready`, on which all others depend, need
 * only look for it: that costs a start nothing, where this program would cost it a whole start of Deno. What only type checks
 * need of the real one, Deno fetches at the first type check.
 *
 * @module
 */

/** Where {@linkcode prepareStd} works, and its ways to the world, which tests replace. */
export interface PrepareStdOptions {
  /** The folder that has `deno.json`, `tools/std/` and `vendor/`. */
  root: string;
  /** Whether to go back to the real standard library although the subset works. */
  refresh: boolean;
  /** The registry. */
  jsrUrl: string;
  /** How long to wait for an answer of the registry. */
  timeoutMs: number;
  /** Loads a module, so that Deno keeps it and whatever it imports in `vendor/`. */
  load(specifier: string): Promise<unknown>;
}

/**
 * Prepares `vendor/` unless it is ready, and returns what the user should know, if anything.
 *
 * Any number of processes may do so at once: one works, the others wait for it. One that is interrupted leaves no mark, and the
 * next one starts over. The real standard library is replaced only if it cannot be loaded.
 *
 * @throws {Error} When `refresh` is asked for and JSR is out of reach; `vendor/` then stays as it is.
 */
export async function prepareStd(options: PrepareStdOptions): Promise<string | undefined> {
  const { root, refresh } = options;
  const packages = listPackages(root);
  const mark = `${root}/${await readyMark(root)}`;
  const isReady = () => exists(mark) && packages.every(isThere);
  if (!refresh && isReady()) return;
  Deno.mkdirSync(`${root}/vendor/jsr.io/@std`, { recursive: true });
  using lock = Deno.openSync(`${root}/vendor/.lock`, { write: true, create: true });
  lock.lockSync(true);
  if (!refresh && isReady()) return;
  if (refresh && !await isReachable(options)) {
    throw new Error("Cannot refresh: JSR is out of reach. vendor/ stays as it is");
  }
  removeMarks(root);
  const real = await loadReal(packages, options);
  if (!real) { for (const one of packages) fill(one); }
  Deno.writeTextFileSync(mark, "");
  if (real) return refresh ? "vendor/ has the real standard library" : undefined;
  return "JSR is out of reach: vendor/ has the offline subset of the standard library " +
    "(deno task std --refresh tries again)";
}

/** The file that is there while `vendor/` is ready for the imports and the subset of this tree, as seen from `root`. */
export async function readyMark(root: string): Promise<string> {
  const wanted = listPackages(root).map(({ name, version, source, files }) => [
    name,
    version,
    files.map((file) => [file, Deno.readTextFileSync(`${source}/${file}`)]),
  ]);
  const text = new TextEncoder().encode(JSON.stringify(wanted));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", text));
  return `vendor/.ready-${digest.toHex().slice(0, 8)}`;
}

/** Whoever is interrupted from here on leaves a `vendor/` that is not ready. */
function removeMarks(root: string): void {
  for (const { name } of Deno.readDirSync(`${root}/vendor`)) {
    if (name.startsWith(".ready-")) Deno.removeSync(`${root}/vendor/${name}`);
  }
}

interface Package {
  name: string;
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
function listPackages(root: string): Package[] {
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
    const target = `${root}/vendor/jsr.io/@std/${name}`;
    return { name, version: `${version}+offline`, source, target, files, exports };
  });
}

/** The name under which std exports such a file. */
function exportOf(file: string): string {
  return file === "mod.ts" ? "." : `./${file.replace(".ts", "").replaceAll("_", "-")}`;
}

/** Tries to have the real standard library in `vendor/`, from JSR or from Deno's cache. */
async function loadReal(packages: Package[], options: PrepareStdOptions): Promise<boolean> {
  if (packages.some(isOffline)) {
    if (!await isReachable(options)) return false;
    packages.filter(isOffline).forEach(remove);
    return await loadAll(packages, options);
  }
  const patience = Promise.withResolvers<false>();
  const timer = setTimeout(() => patience.resolve(false), options.timeoutMs);
  const loaded = loadAll(packages, options);
  const real = await isReachable(options)
    ? await loaded
    : await Promise.race([loaded, patience.promise]);
  clearTimeout(timer);
  return real;
}

/** Whether JSR answers, and not the login page of a network in its place. */
async function isReachable({ jsrUrl, timeoutMs }: PrepareStdOptions): Promise<boolean> {
  try {
    const url = new URL("/@std/assert/meta.json", jsrUrl);
    const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) });
    return (await response.json()).name === "assert";
  } catch {
    return false; // no network, no answer in time, or no JSON: out of reach all the same
  }
}

function loadAll(packages: Package[], { load }: PrepareStdOptions): Promise<boolean> {
  const modules = packages.flatMap(({ name, exports }) =>
    Object.keys(exports).map((key) => `@std/${name}${key.slice(1)}`)
  );
  return Promise.all(modules.map(load)).then(() => true, () => false);
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
      jsrUrl: "https://jsr.io",
      timeoutMs: 3_000,
      load: (specifier) => import(specifier),
    });
    if (news) console.error(news);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    Deno.exitCode = 1;
  }
  Deno.exit(); // a request that nobody waits for any more may still be pending
}
