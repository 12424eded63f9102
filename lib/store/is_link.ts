/**
 * Files that are not where they seem to be.
 *
 * @module
 */

/**
 * Tells whether a path is a symbolic link, which may lead out of the folders that a program may use: Deno does not
 * everywhere ask its permissions for what it leads to. The answer can be outdated at once, where others may write.
 */
export function isLink(path: string): boolean {
  try {
    return Deno.lstatSync(path).isSymlink;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
