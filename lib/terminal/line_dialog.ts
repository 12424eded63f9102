/**
 * What a person at the keyboard does, key by key: types lines, answers questions, pastes.
 *
 * @module
 */

import { type Key, KeyDecoder } from "./keys.ts";
import { LineEditor, MAX_LINE_CHARS, withoutControls } from "./line_editor.ts";
import type { Screen } from "./screen.ts";

/** One question, which has the keyboard to itself until it is answered. */
export interface Question {
  /** What stands before the answer. */
  prompt: string;
  /** Whether the answer must not be seen. @default {false} */
  hidden?: boolean;
  /** Whether a pasted answer does not count. @default {false} */
  typedOnly?: boolean;
}

/** What a dialog tells, and asks, the program. */
export interface LineDialogOptions {
  /** What stands before the line being typed. */
  prompt: string;
  /** Whether an entered line stays on the screen. */
  keepEntered: boolean;
  /** Gives the words that may replace the last word before the cursor. */
  complete(beforeCursor: string): string[];
  /** Says whether to enter a pasted block of several lines. */
  onPaste(lines: string[]): boolean | Promise<boolean>;
  /** Called with each entered line. */
  onLine(line: string): void;
  /** Called on Ctrl-C. */
  onInterrupt(): void;
  /** Called on Ctrl-D in an empty line. */
  onEnd(): void;
}

interface OpenQuestion extends Question {
  editor: LineEditor;
  resolve(answer: string | null): void;
}

/** Turns keys into lines and answers, and shows on a screen what is being typed. */
export class LineDialog {
  #screen: Screen;
  #options: LineDialogOptions;
  #prompt: string;
  #decoder = new KeyDecoder();
  #keys: Key[] = []; // pressed while nothing was asked and no line was wanted
  #line = new LineEditor();
  #questions: OpenQuestion[] = []; // the first is open, the others wait for it
  #wantsLines = false;
  #holdsLines = false;

  /** Takes the screen to show on. */
  constructor(screen: Screen, options: LineDialogOptions) {
    this.#screen = screen;
    this.#options = options;
    this.#prompt = options.prompt;
  }

  /** Whether a question waits for its answer. */
  get isAsking(): boolean {
    return this.#questions.length > 0;
  }

  /** Changes what stands before the line being typed. */
  set prompt(prompt: string) {
    this.#prompt = prompt;
    if (this.#takesLines) this.#show();
  }

  /** Lets lines be typed from now on, whenever no question is open. */
  wantLines(): void {
    if (this.#wantsLines) return;
    this.#wantsLines = true;
    this.#work();
  }

  /** Lets no line be typed until `releaseLines`: keys are for questions alone. */
  holdLines(): void {
    this.#holdsLines = true;
    this.#show();
  }

  /** Lets lines be typed again; keys that no question has taken are dropped. */
  releaseLines(): void {
    this.#holdsLines = false;
    this.#keys = [];
    this.#show();
  }

  /** Asks a question, one at a time; `null` at Ctrl-C or Ctrl-D. */
  ask(question: Question): Promise<string | null> {
    const { promise, resolve } = Promise.withResolvers<string | null>();
    this.#questions.push({ ...question, editor: new LineEditor(), resolve });
    this.#work();
    return promise;
  }

  /** Takes what the keyboard sent. Keys that nobody waits for are kept for who asks next. */
  receive(text: string): void {
    const keys = this.#decoder.push(text);
    if (keys.some((key) => key.name === "interrupt")) {
      this.#keys = [];
      this.giveUp();
      return this.#options.onInterrupt();
    }
    this.#keys.push(...keys);
    this.#work();
    this.#screen.flush();
  }

  /** Answers the open question with `null`. */
  giveUp(): void {
    this.#answer(null);
  }

  /** Gives up, and takes no further keys. */
  end(): void {
    this.#keys = [];
    this.#wantsLines = false;
    while (this.isAsking) this.giveUp();
  }

  get #question(): OpenQuestion | undefined {
    return this.#questions[0];
  }

  get #takesLines(): boolean {
    return this.#wantsLines && !this.#holdsLines;
  }

  #work(): void {
    while (this.isAsking || this.#takesLines) {
      const key = this.#keys.shift();
      if (key === undefined) break;
      this.#press(key);
    }
    this.#show();
  }

  #press({ name, text }: Key): void {
    const editor = this.#question?.editor ?? this.#line;
    switch (name) {
      case "text":
        return this.#insert(text);
      case "paste":
        return this.#paste(text.split(/\r\n|[\r\n]/));
      case "enter":
        return this.#enter();
      case "tab":
        return this.#complete();
      case "clear":
        return this.#screen.clear();
      case "interrupt":
        return; // seen by receive(), ahead of the keys that wait
      case "deleteOrEnd":
        return editor.text === "" ? this.#options.onEnd() : editor.apply("delete");
      default:
        editor.apply(name);
    }
  }

  #insert(text: string): void {
    const editor = this.#question?.editor ?? this.#line;
    if (editor.insert(text)) return;
    this.#screen.ring();
    if (text.length > MAX_LINE_CHARS) {
      this.#screen.print(`A line has at most ${MAX_LINE_CHARS} characters, not ${text.length}`);
    }
  }

  #enter(): void {
    if (this.#question !== undefined) return this.#answer(this.#question.editor.text);
    this.#show();
    this.#screen.finishLine({ keep: this.#options.keepEntered });
    this.#options.onLine(this.#line.take());
  }

  #answer(answer: string | null): void {
    if (!this.isAsking) return;
    this.#show();
    this.#screen.finishLine({ keep: true });
    this.#questions.shift()!.resolve(answer);
    this.#show();
  }

  #complete(): void {
    if (this.#question !== undefined) return this.#screen.ring();
    const candidates = this.#options.complete(this.#line.text.slice(0, this.#line.cursor));
    if (this.#line.complete(candidates)) return;
    if (candidates.length > 1) this.#screen.print(candidates.join("  "));
    else this.#screen.ring();
  }

  /** A line end at the end of a pasted line does not enter it: that is left to the person. */
  #paste(lines: string[]): void {
    if (this.#question !== undefined) return this.#pasteAnswer(lines);
    const { text, cursor } = this.#line;
    if (lines.length === 1 || (lines.length === 2 && lines[1] === "")) {
      return this.#insert(lines[0]!);
    }
    if (lines.at(-1) === "" && cursor === text.length) lines.pop();
    lines[0] = text.slice(0, cursor) + lines[0];
    lines.push(lines.pop() + text.slice(cursor));
    void this.#offer(lines.map(withoutControls));
  }

  #pasteAnswer(lines: string[]): void {
    if (this.#question?.typedOnly && lines.length > 1) return this.#screen.ring();
    this.#insert(lines[0]!);
    if (lines.length === 1) return;
    this.#enter();
    // The rest is for who asks next: a script may type all answers ahead.
    const rest = lines.slice(1).join("\n");
    if (rest !== "") this.#keys.unshift({ name: "paste", text: rest });
  }

  async #offer(lines: string[]): Promise<void> {
    if (!await this.#options.onPaste([...lines])) return;
    this.#line.take();
    for (const line of lines) {
      if (this.#options.keepEntered) this.#screen.print(this.#prompt + line);
      this.#options.onLine(line);
    }
    this.#show();
  }

  #show(): void {
    const { prompt, hidden, editor } = this.#question ??
      {
        prompt: this.#takesLines ? this.#prompt : "",
        hidden: !this.#takesLines,
        editor: this.#line,
      };
    const { text, cursor } = hidden ? { text: "", cursor: 0 } : editor;
    this.#screen.show({ prompt, text, cursor });
  }
}
