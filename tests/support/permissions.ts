/**
 * Lets a test say which permissions it needs, so that `deno test --allow-net` alone passes.
 *
 * @module
 */

/** Registers a test, or one that is skipped with the reason in its name when a permission is missing. */
export function testWith(
  needs: Deno.PermissionDescriptor[],
  name: string,
  fn: (t: Deno.TestContext) => void | Promise<void>,
): void {
  const missing = needs.find((need) => Deno.permissions.querySync(need).state !== "granted");
  if (missing === undefined) Deno.test(name, fn);
  else Deno.test({ name: `${name} (skipped: needs --allow-${missing.name})`, ignore: true, fn });
}

/** What a test needs that keeps files in a temporary folder. */
export const FILES: Deno.PermissionDescriptor[] = [{ name: "read" }, { name: "write" }];

/** What a test needs that starts other programs. */
export const PROCESSES: Deno.PermissionDescriptor[] = [...FILES, { name: "run" }];

/** Registers a test that gets an empty folder of its own, which is removed after it. */
export function testInFolder(
  name: string,
  fn: (folder: string) => void | Promise<void>,
  needs: Deno.PermissionDescriptor[] = FILES,
): void {
  testWith(needs, name, async () => {
    const folder = await Deno.makeTempDir();
    try {
      await fn(folder);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}
