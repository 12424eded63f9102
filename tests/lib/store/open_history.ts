import { openDatabase } from "../../../lib/store/database.ts";
import {
  HistoryStore,
  MESSAGES_SCHEMA,
  type NewMessage,
} from "../../../lib/store/history_store.ts";

let refs = 0;

/** A message with a ref of its own. */
export function say(from: string, text: string, rest: Partial<NewMessage> = {}): NewMessage {
  return { from, text, ref: `ref ${++refs}`, at: 1_700_000_000_000, ...rest };
}

/** A history in a database of its own; `texts` tells what a user may see of it. */
export function openHistory(path = ":memory:") {
  const database = openDatabase(path, { migrations: [MESSAGES_SCHEMA] });
  const history = new HistoryStore(database);
  const texts = (name: string) => history.since(0, name, 1_000).map(({ text }) => text);
  return { database, history, texts, [Symbol.dispose]: () => database.close() };
}
