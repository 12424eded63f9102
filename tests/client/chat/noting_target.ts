import type { CommandTarget } from "../../../client/chat/chat_commands.ts";

/** A target of lines that notes what they do. */
export function notingTarget(
  done: unknown[],
  rest: Partial<CommandTarget> & Pick<CommandTarget, "say">,
): CommandTarget {
  return {
    hasChat: true,
    oldest: undefined,
    request: (message) => done.push(message),
    tell: (text) => done.push(["told", text]),
    refuse: (text) => done.push(["refused", text]),
    clear: () => done.push("clear"),
    leave: (options) => done.push(options),
    ...rest,
  };
}
