/**
 * The examples of a document, for tests that run them.
 *
 * @module
 */

/** The fenced blocks of a Markdown text, with what stands behind their fence. */
export function fencedBlocks(document: string): { info: string; body: string }[] {
  return Array.from(
    document.matchAll(/^```(.+)\n([^]*?)^```$/gm),
    ([, info, body]) => ({ info: info!, body: body! }),
  );
}
