/// <reference lib="dom" />
/**
 * The text of a message as nodes of the page: links, mentions and plain text, never markup.
 *
 * @module
 */

import { keyOfText } from "../../../lib/chat/name.ts";
import { safeText } from "../../session/safe_text.ts";
import { element } from "../shared/dom.ts";

const LINK = /https?:\/\/[^\s<>"`]+/gi;
/** What ends a sentence, and not an address. */
const AFTER_LINK = /[.,:;!?'»”…)\]}]+$/;
const WORDS = /[\p{L}\p{M}\p{Nd}_-]+/gu;

/** A part of a text. */
interface Part {
  kind: "text" | "link" | "word";
  text: string;
}

/** Makes nodes of a text; words that spell the name with this key are marked as mentions. */
export function textNodes(text: string, key: string): (Node | string)[] {
  return split(text, LINK, "link").flatMap((part) =>
    part.kind === "link" ? linkNodes(part.text) : plainNodes(part.text, key)
  );
}

function plainNodes(text: string, key: string): (Node | string)[] {
  const nodes: (Node | string)[] = [];
  let plain = "";
  for (const { kind, text: part } of split(text, WORDS, "word")) {
    if (kind === "text" || key === "" || keyOfText(part) !== key) plain += part;
    else {
      nodes.push(safeText(plain), element("mark", "", safeText(part)));
      plain = "";
    }
  }
  return [...nodes, safeText(plain)];
}

/** A link opens a new page, which is told neither where it comes from nor who opened it. */
function linkNodes(text: string): (Node | string)[] {
  const end = AFTER_LINK.exec(text)?.[0] ?? "";
  // A bracket that was opened inside belongs to the address.
  const isWhole = end.startsWith(")") && text.slice(0, -end.length).includes("(");
  const address = text.slice(0, text.length - end.length + (isWhole ? 1 : 0));
  const rest = text.slice(address.length);
  const url = URL.canParse(address) ? new URL(address) : undefined;
  const isSafe = url && ["http:", "https:"].includes(url.protocol) && url.username === "" &&
    url.password === "" && safeText(address) === address;
  if (!isSafe) return [safeText(text)];
  const link = element("a", "", address);
  link.href = url.href;
  link.target = "_blank";
  link.rel = "noopener noreferrer";
  return rest === "" ? [link] : [link, safeText(rest)];
}

function split(text: string, pattern: RegExp, kind: Part["kind"]): Part[] {
  const parts: Part[] = [];
  let end = 0;
  for (const match of text.matchAll(pattern)) {
    if (match.index > end) parts.push({ kind: "text", text: text.slice(end, match.index) });
    parts.push({ kind, text: match[0] });
    end = match.index + match[0].length;
  }
  if (end < text.length) parts.push({ kind: "text", text: text.slice(end) });
  return parts;
}
