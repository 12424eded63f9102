/**
 * The thread of one conversation: the handler runs here, and what it does harms nobody else.
 *
 * @module
 */
import { packError } from "./carried_error.ts";
import type { Handler } from "../../lib/server/conversation.ts";
import { FramedConn } from "../../lib/conn/framed_conn.ts";
import { PortConn } from "./port_conn.ts";
import { PortPipe } from "./port_pipe.ts";
import type {
  ConversationStart,
  HandlerSource,
  NoteFromThread,
  NoteToThread,
  ThreadStart,
} from "./conversation_messages.ts";

/** The part of a worker's global scope that is used; the default library knows only the window's. */
const thread = self as unknown as {
  onmessage: ((event: MessageEvent<ThreadStart>) => void) | null;
};

let pipe: PortPipe;
let conn: FramedConn | undefined;

thread.onmessage = ({ data: { handler: source, port } }) => {
  const loading = load(source);
  loading.catch(() => {/* Told by the conversation that needs it. */});
  const onNote = (note: unknown) => {
    const command = note as NoteToThread;
    if (command.type === "hold") hold(loading, command.start);
    else conn?.closeRead();
  };
  pipe = new PortPipe(port, { onNote });
};

// An error that nobody caught ends the conversation as if the handler had thrown it.
addEventListener("error", (event) => {
  event.preventDefault();
  tellReturned(event.error);
});
addEventListener("unhandledrejection", (event) => {
  event.preventDefault();
  tellReturned(event.reason);
});

async function load({ module, name }: HandlerSource): Promise<Handler> {
  return (await import(module))[name];
}

async function hold(
  loading: Promise<Handler>,
  { info, localAddr, remoteAddr, idleTimeoutMs }: ConversationStart,
): Promise<void> {
  conn = new FramedConn(new PortConn(pipe, { localAddr, remoteAddr }), {
    idleTimeoutMs,
    onReceived: (bytes) => tell({ type: "received", bytes }),
    onSent: (bytes) => tell({ type: "sent", bytes }),
  });
  try {
    const handler = await loading;
    await handler(conn, info);
    tell({ type: "returned", closed: conn.closed });
  } catch (error) {
    tellReturned(error);
  }
  conn.close();
}

function tellReturned(error: unknown): void {
  const isPeers = conn?.failedWith(error) ?? false;
  tell({ type: "returned", closed: conn?.closed ?? false, error: packError(error), isPeers });
  conn?.close();
}

function tell(note: NoteFromThread): void {
  pipe.note(note);
}
