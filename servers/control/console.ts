/**
 * The control console: it runs the operator's lines by the table of commands.
 *
 * @module
 */
import { escapeControl } from "../../lib/base/escape.ts";
import { nearest } from "../../lib/base/nearest.ts";
import { messageOf } from "../../lib/base/thrown.ts";
import { COMMANDS, type MainContext } from "./commands.ts";

/** What the console needs from the program around it. */
export interface ConsoleOptions extends Pick<MainContext, "logPath" | "names" | "stop"> {
  /** Runs a command in the listening thread. */
  call(command: string, argument: string): Promise<string>;
  /** Asks the operator, who may say no; answers yes where no operator can be asked. */
  confirm(question: string): Promise<boolean>;
  /** Prints lines that come later than the answer. */
  print(text: string): void;
}

/** Runs lines of the operator. */
export class Console {
  readonly #options: ConsoleOptions;
  #following: AbortController | undefined;
  #followed: Promise<void> | undefined;

  /** Takes what it needs. */
  constructor(options: ConsoleOptions) {
    this.#options = options;
  }

  /** Runs one line and gives the answer, which is empty for an empty line. Never rejects. Any line ends `logs -f`. */
  async run(line: string): Promise<string> {
    this.#following?.abort();
    await this.#followed;
    const [, name = "", argument = ""] = line.trim().match(/^(\S*)\s*(.*)$/s) ?? [];
    if (name === "") return "";
    const refusal = this.#refusal(name, argument);
    if (refusal !== undefined) return refusal;
    try {
      return await this.#run(name, argument);
    } catch (error) {
      return `Cannot run ${name}: ${messageOf(error)}`;
    }
  }

  /** The commands that may be meant by what was typed so far. */
  complete(beforeCursor: string): string[] {
    if (beforeCursor.includes(" ")) return [];
    return this.#options.names.filter((name) => name.startsWith(beforeCursor));
  }

  async #run(name: string, argument: string): Promise<string> {
    const { question, main } = COMMANDS[name]!;
    if (question !== undefined && !await this.#options.confirm(question)) return "Nothing changed";
    if (main === undefined) return await this.#options.call(name, argument);
    const followLog = (text: string) => void (this.#followed = this.#follow(text));
    return await main(argument, { ...this.#options, followLog });
  }

  /** Why a line is not run. */
  #refusal(name: string, argument: string): string | undefined {
    const { names } = this.#options;
    const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
    if (!command) {
      const near = nearest(name, names);
      const advice = near ? `Did you mean ${near}?` : "Type help to see them all";
      return `There is no command "${escapeControl(name)}". ${advice}`;
    }
    if (!names.includes(name)) {
      return command.needs === "say" ? "This server is not a chat" : "This server keeps no users";
    }
    if (argument === "" || command.usage) return undefined;
    return `${name} takes no argument: ${command.alone ?? "type it alone"}`;
  }

  async #follow(text: string): Promise<void> {
    const { logPath, print } = this.#options;
    const { signal } = this.#following = new AbortController();
    const { followLog } = await import("../../lib/log/log_tail.ts");
    try {
      for await (const line of followLog(logPath, { text, signal })) print(escapeControl(line));
    } catch (error) {
      print(`Cannot follow the log: ${messageOf(error)}`);
    }
  }
}
