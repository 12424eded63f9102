/**
 * What happens at the keyboard, key by key: lines are typed, questions answered, blocks pasted.
 *
 * @module
 */

import { escapeControl } from "../base/escape.ts";
import { ANSWER_MS, decodeLines, type Key, KeyDecoder } from "./keys.ts";
import { LineEditor, MAX_LINE_CHARS, withoutControls } from "./line_editor.ts";
import type { Question } from "./question.ts";
import type { Screen } from "./screen.ts";

/** What a dialog tells, and asks, the program. */
export interface LineDialogOptions {
  /** What stands before the line being typed; may hold colour codes. @default {"> "} */
  prompt: string;
  /** Whether an entered line stays on the screen, after its prompt. @default {true} */
  keepEntered: boolean;
  /** Whether lines are edited here, rather than by the terminal. */
  edits: boolean;
  /** Gives the words that may replace the last word of the line before the cursor, on Tab. */
  complete(beforeCursor: string): string[];
  /** Called with a pasted block of several lines; `true` enters them. @default {asks with `confirm`} */
  onPaste(lines: string[]): boolean | Promise<boolean>;
  /** Called with each entered line. */
  onLine(line: string): void;
  /** Called on Ctrl-C at a terminal. @default {closes it} */
  onInterrupt(): void;
  /** Called on Ctrl-D in an empty line. */
  onEnd(): void;
}

/** Turns keys into lines and answers, and shows on a screen what is being typed. */
export class LineDialog {
  #screen: Screen;
  #options: LineDialogOptions;
  #decoder = new KeyDecoder();
  #escapeTimer: ReturnType<typeof setTimeout> | undefined;
  #keys: Key[] = []; // pressed while no question was open and no line was wanted
  #line = new LineEditor();
  #questions: (Question & { resolve(answer: string | null): void })[] = []; // the first is open
  #answer = new LineEditor();
  #wantsLines = false;
  #holdsLines = false;
  #isEnded = false;

  /** Takes the screen to show on. */
  constructor(screen: Screen, options: LineDialogOptions) {
    this.#screen = screen;
    this.#options = options;
  }

  /** Changes what stands before the line being typed. */
  set prompt(prompt: string) {
    this.#options.prompt = prompt;
    if (this.#takesLines) this.#show();
  }

  /** Lets lines be typed from now on, whenever no question is open. */
  wantLines(): void {
    if (this.#wantsLines || this.#isEnded) return;
    this.#wantsLines = true;
    this.#work();
  }

  /** Lets no line be typed while it is on: keys are for questions alone, and dropped when it is turned off. */
  holdLines(isOn: boolean): void {
    this.#holdsLines = isOn;
    if (!isOn) this.#keys = [];
    this.#show();
  }

  /** Asks a question, one at a time; `null` at Ctrl-C or Ctrl-D. The line being typed comes back afterwards. */
  ask(question: Question): Promise<string | null> {
    const { promise, resolve } = Promise.withResolvers<string | null>();
    if (this.#isEnded) resolve(null);
    else this.#questions.push({ ...question, resolve });
    this.#work();
    return promise;
  }

  /** Takes what the keyboard sent. Keys are kept until a line or an answer is wanted; after `end`, only Ctrl-C counts. */
  receive(text: string): void {
    const before = this.#decoder.waitMs;
    const isEdited = this.#options.edits || this.#question?.hidden === true;
    this.#take(isEdited ? this.#decoder.push(text) : decodeLines(text));
    const { waitMs } = this.#decoder;
    if (before === ANSWER_MS && waitMs === ANSWER_MS) return; // Its time goes on.
    clearTimeout(this.#escapeTimer);
    this.#awaitRest();
  }

  /** Waits for the rest of a sequence; of a paste that did not go on, half an end mark may be left. */
  #awaitRest(): void {
    const { waitMs } = this.#decoder;
    if (waitMs === 0 || this.#isEnded) return;
    this.#escapeTimer = setTimeout(() => {
      this.#take(this.#decoder.expire());
      this.#awaitRest();
    }, waitMs);
  }

  /** Answers all questions with `null`, and takes no further keys but Ctrl-C. */
  end(): void {
    clearTimeout(this.#escapeTimer);
    this.#isEnded = true;
    this.#keys = [];
    this.#wantsLines = false;
    while (this.#question) this.#settle(null);
  }

  get #question() {
    return this.#questions[0];
  }

  get #editor(): LineEditor {
    return this.#question ? this.#answer : this.#line;
  }

  get #takesLines(): boolean {
    return this.#wantsLines && !this.#holdsLines;
  }

  #take(keys: Key[]): void {
    if (keys.some((key) => key.name === "interrupt")) {
      this.#keys = [];
      this.#settle(null);
      return this.#options.onInterrupt();
    }
    if (this.#isEnded) return;
    this.#keys.push(...keys);
    this.#work();
    this.#screen.flush();
  }

  #work(): void {
    while (this.#question || this.#takesLines) {
      const key = this.#keys.shift();
      if (key === undefined) break;
      this.#press(key);
    }
    if (!this.#isEnded) this.#show();
  }

  #press({ name, text }: Key): void {
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
      case "suspend":
        return this.#screen.print("Ctrl-Z does not suspend this program; Ctrl-C ends it");
      case "deleteOrEnd":
        return this.#editor.text === "" ? this.#options.onEnd() : this.#editor.apply("delete");
      default:
        if (name !== "interrupt") this.#editor.apply(name); // #take() has seen that one
    }
  }

  #insert(text: string): void {
    if (this.#editor.insert(text)) return;
    this.#screen.ring();
    if (text.length > MAX_LINE_CHARS) {
      this.#screen.print(`A line has at most ${MAX_LINE_CHARS} characters, not ${text.length}`);
    }
  }

  #enter(): void {
    if (this.#question) return this.#tryAnswer(this.#question);
    this.#show();
    this.#screen.finishLine({ keep: this.#options.keepEntered });
    this.#options.onLine(this.#line.take());
  }

  #tryAnswer({ hintOn }: Question): void {
    const { text } = this.#answer;
    const hint = hintOn?.(text);
    if (hint === undefined) return this.#settle(text);
    this.#show();
    this.#screen.finishLine({ keep: true });
    this.#screen.print(hint);
    // It was meant for the line that the question interrupted.
    if (this.#line.text !== "") this.#line.insert(text);
    this.#answer.replace("");
  }

  #settle(answer: string | null): void {
    if (!this.#question) return;
    this.#show();
    this.#screen.finishLine({ keep: true });
    this.#answer.replace("");
    this.#questions.shift()!.resolve(answer);
    this.#show();
  }

  #complete(): void {
    if (this.#question) return this.#screen.ring();
    const words = this.#options.complete(this.#line.text.slice(0, this.#line.cursor));
    const candidates = words.filter((word) => word === escapeControl(word));
    if (this.#line.complete(candidates)) return;
    if (candidates.length > 1) this.#screen.print(candidates.join("  "));
    else this.#screen.ring();
  }

  /** A line end at the end of a pasted line does not enter it: that is left to the user. */
  #paste(lines: string[]): void {
    if (this.#question) return this.#pasteAnswer(this.#question, lines);
    const { text, cursor } = this.#line;
    const [first, second] = lines;
    if (lines.length === 1 || lines.length === 2 && second === "") return this.#insert(first!);
    if (lines.at(-1) === "" && cursor === text.length) lines.pop();
    lines[0] = text.slice(0, cursor) + lines[0];
    lines.push(lines.pop() + text.slice(cursor));
    void this.#offer(lines.map(withoutControls));
  }

  #pasteAnswer({ hintOn }: Question, lines: string[]): void {
    if (hintOn && lines.length > 1) return this.#screen.ring();
    this.#insert(lines[0]!);
    if (lines.length === 1) return;
    this.#enter();
    // The rest answers the next question: a script may type all answers ahead.
    const rest = lines.slice(1).join("\n");
    if (rest !== "") this.#keys.unshift({ name: "paste", text: rest });
  }

  async #offer(lines: string[]): Promise<void> {
    this.#line.replace("");
    if (await this.#options.onPaste([...lines])) {
      for (const line of lines) {
        if (this.#options.keepEntered) this.#screen.print(this.#options.prompt + line);
        this.#options.onLine(line);
      }
    } else this.#line.replace(lines.join(" "));
    if (!this.#isEnded) this.#show();
  }

  #show(): void {
    const prompt = this.#question?.prompt ?? (this.#takesLines ? this.#options.prompt : "");
    const isHidden = this.#question ? this.#question.hidden : !this.#takesLines;
    const { text, cursor } = isHidden ? { text: "", cursor: 0 } : this.#editor;
    this.#screen.show({ prompt, text, cursor });
  }
}
