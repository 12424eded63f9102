import { assertEquals } from "@std/assert";
import { AUTH_MIGRATIONS } from "../../../lib/store/migrations.ts";
import { openDatabase } from "../../../lib/store/database.ts";
import { Members } from "../../../servers/members/members.ts";

function peer(id: number) {
  return {
    id,
    peer: `10.0.0.1:${id}`,
    address: "10.0.0.1",
    connectedAt: 0,
    protocol: "frames" as const,
  };
}

Deno.test("Members.silence() counts silent peers among those that have not logged in, once each", () => {
  using database = openDatabase(":memory:", { migrations: AUTH_MIGRATIONS });
  const members = new Members(database, { server: "auth", maxPerAddress: 4 });
  const { hold, release } = members.silence(1000);
  const [one, two, three] = [peer(1), peer(2), peer(3)];

  assertEquals([hold!(one), hold!(two), hold!(three)], [true, true, false]);
  assertEquals(members.enter(one), undefined);
  release!(one);
  assertEquals(members.enter(three), "crowded");
  release!(two);
  release!(two);
  assertEquals([members.enter(three), members.enter(peer(4))], [undefined, "crowded"]);
});
