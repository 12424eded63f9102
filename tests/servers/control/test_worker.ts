/** A listening thread that does what its commands are called. */
import type { FromListening, ToListening } from "../../../servers/control/listening_thread.ts";

const thread = self as unknown as {
  postMessage(message: FromListening): void;
  onmessage: (event: MessageEvent<ToListening>) => void;
};

thread.onmessage = ({ data }) => {
  if (data.type === "start") {
    const listening = { hostname: "127.0.0.1", port: 1, commands: [] };
    return thread.postMessage({ type: "listening", listening });
  }
  const { id, command, argument } = data;
  if (command === "fail") thread.postMessage({ type: "failed", message: argument });
  if (command === "tell") thread.postMessage({ type: "progress", text: argument });
  if (command === "echo") thread.postMessage({ type: "answer", id, text: argument });
};
