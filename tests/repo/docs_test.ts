import { assertEquals, assertGreater } from "@std/assert";
import { FILES, testWith } from "../support/permissions.ts";

const ROOT = new URL("../../", import.meta.url);
const PAGES = [
  "README.md",
  "PROTOCOL.md",
  "SECURITY.md",
  "data/README.md",
  "docs/architecture.md",
  "docs/embedding.md",
  "docs/operating.md",
  "docs/performance.md",
  "docs/starvation.md",
];
const WALKS = "docs/architecture.md";

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(new URL(path, ROOT));
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

testWith(FILES, "The pages link to files that exist", async () => {
  for (const page of PAGES) {
    const text = await Deno.readTextFile(new URL(page, ROOT));
    const links = Array.from(text.matchAll(/\]\(([\w./-]+)\)/g), (match) => match[1]!);
    const folder = page.slice(0, page.lastIndexOf("/") + 1);

    for (const link of links) assertEquals(await exists(folder + link), true, `${page}: ${link}`);
  }
});

testWith(FILES, "The folder docs/ has no other page", async () => {
  const pages = await Array.fromAsync(Deno.readDir(new URL("docs/", ROOT)), ({ name }) => name);

  assertEquals(pages.map((name) => `docs/${name}`).filter((page) => !PAGES.includes(page)), []);
});

testWith(FILES, "Each hop of the walks names a function that its file has", async () => {
  const text = await Deno.readTextFile(new URL(WALKS, ROOT));
  const hops = Array.from(
    text.matchAll(/^\d+\. \[([\w/.]+)\]\(\.\.\/\1\)\s+`([\w.#]+)(?:\(\))?`/gm),
    ([, file, symbol]) => ({ file: file!, symbol: symbol! }),
  );

  assertEquals(hops.length, text.match(/^\d+\. /gm)?.length);
  assertGreater(hops.length, 20);
  for (const { file, symbol } of hops) {
    const source = await Deno.readTextFile(new URL(file, ROOT));
    for (const part of symbol.split(".")) {
      const found = new RegExp(`(?<![\\w#])${part}(?!\\w)`).test(source);
      assertEquals(found, true, `${file}: ${symbol}`);
    }
  }
});

testWith(FILES, "The pages name tasks that exist", async () => {
  const config = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
  for (const page of PAGES) {
    const text = await Deno.readTextFile(new URL(page, ROOT));
    const names = Array.from(
      text.matchAll(/deno(?:@[\d.]+)? task ([a-z][\w:.]*)/g),
      (match) => match[1]!,
    );

    for (const name of names) assertEquals(name in config.tasks, true, `${page}: ${name}`);
  }
});

testWith(FILES, "The README has a line for each exercise, and each has its task", async () => {
  const text = await Deno.readTextFile(new URL("README.md", ROOT));
  const { tasks } = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
  const exercises = [...Array.from({ length: 10 }, (_, i) => `1.${i + 1}`), "2.1", "2.2", "2.3"];

  for (const id of exercises) {
    assertEquals(new RegExp(`^\\| ${id.replace(".", "\\.")} +\\|`, "m").test(text), true, id);
    assertEquals(`lab:${id}` in tasks, true, id);
  }
});
