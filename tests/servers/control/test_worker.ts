/** A listening thread that does what its commands are called. */
import type { ControlMessage } from "../../../servers/control/control.ts";
import { holdForLife } from "../../../servers/control/thread_lock.ts";

const thread = self as unknown as {
  postMessage(reply: unknown): void;
  onmessage: (event: MessageEvent<ControlMessage>) => void;
  close(): void;
};

thread.onmessage = ({ data }) => {
  if (data.type === "start") {
    thread.postMessage({ type: "listening", hostname: "127.0.0.1", port: 1 });
    holdForLife(data.lock);
    return thread.postMessage({ type: "holding" });
  }
  const { id, command, argument } = data;
  if (command === "close") thread.close();
  if (command === "exit") Deno.exit(3);
  if (command === "fail") thread.postMessage({ type: "failed", message: argument });
  if (command === "echo") thread.postMessage({ type: "answer", id, text: argument });
};
