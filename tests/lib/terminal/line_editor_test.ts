import { assertEquals } from "@std/assert";
import { type Edit, LineEditor } from "../../../lib/terminal/line_editor.ts";

/** The line, with `|` for the cursor, after some edits. */
function edit(text: string, ...edits: Edit[]): string {
  const editor = new LineEditor();
  editor.insert(text);
  for (const one of edits) editor.apply(one);
  return `${editor.text.slice(0, editor.cursor)}|${editor.text.slice(editor.cursor)}`;
}

Deno.test("LineEditor.apply() moves and deletes", () => {
  assertEquals(edit("one two", "home", "left", "right"), "o|ne two");
  assertEquals(edit("one two  ", "wordLeft"), "one |two  ");
  assertEquals(edit("one two", "home", "wordRight", "wordRight", "right"), "one two|");
  assertEquals(edit("one two", "wordLeft", "deleteWordLeft"), "|two");
  assertEquals(edit("one two", "home", "deleteWordRight"), "| two");
  assertEquals(edit("one two", "wordLeft", "deleteToStart"), "|two");
  assertEquals(edit("one two", "wordLeft", "deleteToEnd"), "one |");
  assertEquals(edit("", "backspace", "delete", "left", "wordRight", "older", "newer"), "|");
});

Deno.test("LineEditor.insert() refuses what makes the line too long", () => {
  const editor = new LineEditor();

  assertEquals(editor.insert("x".repeat(16_384)), true);
  assertEquals(editor.insert("y"), false);
  assertEquals(editor.text.length, 16_384);
});

Deno.test("LineEditor.complete() replaces the word before the cursor", () => {
  const complete = (text: string, candidates: string[]) => {
    const editor = new LineEditor();
    editor.insert(text);
    const changed = editor.complete(candidates);
    return [changed, editor.text];
  };

  assertEquals(complete("/msg an", ["Anna"]), [true, "/msg Anna "]);
  assertEquals(complete("/h", ["/help", "/helm"]), [true, "/hel"]);
  assertEquals(complete("/h", ["/help", "/history"]), [false, "/h"]);
  assertEquals(complete("/h", []), [false, "/h"]);
  assertEquals(complete("", ["anna"]), [true, "anna "]);
});

Deno.test("LineEditor.take() remembers lines, but not blank or repeated ones", () => {
  const editor = new LineEditor();
  for (const line of ["one", "two", "two", " "]) {
    editor.insert(line);
    editor.take();
  }

  editor.apply("older");
  assertEquals(editor.text, "two");
  editor.apply("older");
  editor.apply("older");
  assertEquals(editor.text, "one");
});

Deno.test("LineEditor.take() remembers the last 500 lines", () => {
  const editor = new LineEditor();
  for (let n = 1; n <= 501; n++) {
    editor.insert(`line ${n}`);
    editor.take();
  }

  for (let n = 0; n < 600; n++) editor.apply("older");

  assertEquals(editor.text, "line 2");
});
