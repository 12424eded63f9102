import { openDatabase } from "../../../lib/store/database.ts";
import {
  HistoryStore,
  type HistoryStoreOptions,
  type NewMessage,
  type Person,
} from "../../../lib/store/history_store.ts";
import { CHAT_MIGRATIONS } from "../../../lib/store/migrations.ts";

let refs = 0;

/** Some accounts. */
export const [ANNA, BOB, EVE] = ["Anna", "Bob", "Eve"].map((name, i): Person => ({
  id: i + 1,
  name,
})) as [Person, Person, Person];

/** A message with a ref of its own. */
export function say(sender: Person, text: string, rest: Partial<NewMessage> = {}): NewMessage {
  return { sender, text, ref: `ref ${++refs}`, at: 1_700_000_000_000, ...rest };
}

/** A history in a database of its own; `texts` tells what an account may see of it. */
export function openHistory(path = ":memory:", options: HistoryStoreOptions = {}) {
  const database = openDatabase(path, { migrations: CHAT_MIGRATIONS });
  const history = new HistoryStore(database, options);
  const texts = ({ id }: Person) => history.since(0, id, 1_000).map(({ text }) => text);
  return { database, history, texts, [Symbol.dispose]: () => database.close() };
}
