/**
 * Makes sure that `vendor/` can resolve the imports of `deno.json`: the task `std`, on which every other task depends.
 *
 * Where JSR is within reach, Deno fetches the real standard library; elsewhere Deno may have it in its cache. If neither is
 * so, the subset in this folder takes its place, under versions such as `1.0.6+offline`. The file `vendor/.std` says which of
 * the two is there and for which imports, so that every later run is done after reading it.
 *
 * @module
 */

/** Where {@linkcode prepareStd} works, and its ways to the world, which tests replace. */
export interface PrepareStdOptions {
  /** The folder that has `deno.json`, `offline/` and `vendor/`. */
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
 * Any number of processes may do so at once: one works, the others wait for it. One that is interrupted leaves a mark that is
 * not valid, and the next one starts over. The real standard library is replaced only if it cannot be loaded.
 *
 * @throws {Error} When `refresh` is asked for and JSR is out of reach; `vendor/` then stays as it is.
 */
export async function prepareStd(options: PrepareStdOptions): Promise<string | undefined> {
  const { root, refresh } = options;
  const packages = listPackages(root);
  const marks = await marksOf(root, packages);
  const isReady = () => marks.includes(readMark(root)) && packages.every(isThere);
  if (!refresh && isReady()) return;
  Deno.mkdirSync(`${root}/vendor/jsr.io/@std`, { recursive: true });
  using mark = Deno.openSync(markPath(root), { write: true, create: true });
  mark.lockSync(true);
  if (!refresh && isReady()) return;
  const [real, offline] = marks;
  if (await loadReal(packages, options, mark)) {
    writeMark(mark, real);
    return refresh ? "vendor/ has the real standard library" : undefined;
  }
  writeMark(mark, "");
  for (const one of packages) fill(one);
  writeMark(mark, offline);
  return `JSR is out of reach: vendor/ has the offline subset of the standard library ` +
    "(deno task std --refresh tries again)";
}

interface Package {
  name: string;
  version: string;
  /** Our files. */
  source: string;
  /** Its place in `vendor/`. */
  target: string;
  /** The names of its modules, and the file of each. */
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
    const source = `${root}/offline/${name}`;
    const exports: Record<string, string> = {};
    for (const file of [...Deno.readDirSync(source)].map((entry) => entry.name).sort()) {
      const key = file === "mod.ts" ? "." : `./${file.replace(".ts", "").replaceAll("_", "-")}`;
      exports[key] = `./${file}`;
    }
    const target = `${root}/vendor/jsr.io/@std/${name}`;
    return { name, version: `${version}+offline`, source, target, exports };
  });
}

type Marks = [real: string, offline: string];

/** What `vendor/.std` says when vendor/ is ready: the real modules follow from the imports, ours from our text as well. */
async function marksOf(root: string, packages: Package[]): Promise<Marks> {
  const names = JSON.stringify(packages);
  const texts = packages.flatMap(({ source, exports }) =>
    Object.values(exports).map((file) => Deno.readTextFileSync(`${source}/${file}`))
  );
  const wanted = names.replaceAll(root, "");
  return [`real ${await hashOf(wanted)}`, `offline ${await hashOf(wanted + texts.join("\0"))}`];
}

async function hashOf(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return new Uint8Array(digest).toHex();
}

function markPath(root: string): string {
  return `${root}/vendor/.std`;
}

function readMark(root: string): string {
  try {
    return Deno.readTextFileSync(markPath(root));
  } catch {
    return ""; // absent, or locked by the process that is at work
  }
}

function writeMark(mark: Deno.FsFile, text: string): void {
  mark.truncateSync();
  mark.seekSync(0, Deno.SeekMode.Start);
  mark.writeSync(new TextEncoder().encode(text));
}

/** Tries to have the real standard library in `vendor/`, from JSR or from Deno's cache. */
async function loadReal(
  packages: Package[],
  options: PrepareStdOptions,
  mark: Deno.FsFile,
): Promise<boolean> {
  const patience = Promise.withResolvers<false>();
  const timer = setTimeout(() => patience.resolve(false), options.timeoutMs);
  try {
    if (!packages.some(isOffline)) {
      const loaded = loadAll(packages, options);
      return await isReachable(options)
        ? await loaded
        : await Promise.race([loaded, patience.promise]);
    }
    if (await isReachable(options)) {
      writeMark(mark, "");
      packages.filter(isOffline).forEach(remove);
      return await loadAll(packages, options);
    }
    if (!options.refresh) return false;
    throw new Error("Cannot refresh: JSR is out of reach. vendor/ stays as it is");
  } finally {
    clearTimeout(timer);
  }
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
  const { name, version, source, target, exports } = one;
  remove(one);
  Deno.mkdirSync(`${target}/${version}`, { recursive: true });
  for (const file of Object.values(exports)) {
    Deno.copyFileSync(`${source}/${file}`, `${target}/${version}/${file}`);
  }
  const write = (file: string, value: unknown) =>
    Deno.writeTextFileSync(`${target}/${file}`, JSON.stringify(value));
  write(`${version}_meta.json`, { manifest: {}, exports });
  write("meta.json", { scope: "std", name, latest: version, versions: { [version]: {} } });
}

if (import.meta.main) {
  try {
    const news = await prepareStd({
      root: `${import.meta.dirname}/..`,
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
