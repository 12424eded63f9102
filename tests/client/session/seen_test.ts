import { assertEquals } from "@std/assert";
import { SeenMessages } from "../../../client/session/seen.ts";

function message(id: number, replay = true) {
  return {
    type: "message",
    id,
    at: 1,
    from: "anna",
    text: "x",
    ...(replay && { replay }),
  } as const;
}

for (
  const [last, wantsHistory, newest] of [
    [0, true, 0],
    [5, true, undefined],
    [5, false, 5],
  ] as const
) {
  Deno.test(`SeenMessages.enter(${last}, ${wantsHistory}) makes ${newest} the newest`, () => {
    const seen = new SeenMessages();

    seen.enter(last, wantsHistory);

    assertEquals(seen.newest, newest);
  });
}

Deno.test("SeenMessages.enter() keeps what was seen where nothing was said since", () => {
  const seen = new SeenMessages();
  for (const id of [3, 4]) seen.see(id);

  seen.enter(4, true);

  assertEquals([seen.oldest, seen.newest], [3, 4]);
});

Deno.test("SeenMessages.seeMessage() takes a message once, and earlier ones on a page only", () => {
  const seen = new SeenMessages();
  const pages: number[] = [];
  assertEquals([8, 8, 7].map((id) => seen.seeMessage(message(id))), [true, false, false]);

  seen.expectPage(8, (count) => pages.push(count));
  assertEquals([8, 6, 7].map((id) => seen.seeMessage(message(id))), [false, true, true]);
  assertEquals(seen.seeMessage(message(5, false)), false);
  seen.endPage();

  assertEquals([seen.seeMessage(message(5)), seen.oldest, pages], [false, 6, [2]]);
});

Deno.test("SeenMessages.oldest is not raised by a page that begins after it", () => {
  const seen = new SeenMessages();
  for (const id of [1, 9]) seen.see(id);

  seen.expectPage(9, () => {});
  seen.seeMessage(message(5));

  assertEquals(seen.oldest, 1);
});

Deno.test("SeenMessages.forgetPages() expects none of them any more", () => {
  const seen = new SeenMessages();
  const pages: number[] = [];
  seen.see(9);
  seen.expectPage(9, (count) => pages.push(count));

  seen.forgetPages();

  assertEquals(seen.seeMessage(message(5)), false);
  seen.endPage();
  assertEquals(pages, []);
});
