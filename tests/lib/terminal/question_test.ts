import { assertEquals, assertRejects } from "@std/assert";
import { type Asker, askHost, askPort, question } from "../../../lib/terminal/question.ts";

/** Answers from a list, then ends; keeps what was shown. */
class ScriptedAsker implements Asker {
  readonly shown: string[] = [];
  readonly #answers: string[];

  constructor(...answers: string[]) {
    this.#answers = answers;
  }

  line(prompt: string): Promise<string | null> {
    this.shown.push(prompt);
    return Promise.resolve(this.#answers.shift() ?? null);
  }

  tell(text: string): void {
    this.shown.push(text);
  }
}

Deno.test("askPort() shows its default, which Enter takes", async () => {
  const asker = new ScriptedAsker("");

  assertEquals(await askPort(asker), 9090);

  assertEquals(asker.shown, ["Port [9090]: "]);
});

Deno.test("askPort() takes a good answer", async () => {
  assertEquals(await askPort(new ScriptedAsker("8080")), 8080);
});

Deno.test("askPort() refuses with the reason and asks again", async () => {
  const asker = new ScriptedAsker("abc", "0", "70000", "   ", "8080");

  assertEquals(await askPort(asker, 9191), 8080);

  assertEquals(asker.shown, [
    "Port [9191]: ",
    'Cannot use "abc" as a port: give a whole number from 1 to 65535',
    "Port [9191]: ",
    'Cannot use "0" as a port: give a whole number from 1 to 65535',
    "Port [9191]: ",
    'Cannot use "70000" as a port: give a whole number from 1 to 65535',
    "Port [9191]: ",
    "Cannot use an empty port: give a whole number from 1 to 65535",
    "Port [9191]: ",
  ]);
});

Deno.test("askHost() refuses an empty and an impossible host and asks again", async () => {
  const asker = new ScriptedAsker("  ", "256.1.1.1", "[::1]");

  assertEquals(await askHost(asker), "::1");

  assertEquals(asker.shown, [
    "Host [127.0.0.1]: ",
    "Cannot use an empty host: give a name such as localhost, or an address such as 127.0.0.1 or ::1",
    "Host [127.0.0.1]: ",
    'Cannot use "256.1.1.1" as a host: an IPv4 address is four numbers from 0 to 255',
    "Host [127.0.0.1]: ",
  ]);
});

Deno.test("askHost() asks again for a host that the check refuses", async () => {
  const asker = new ScriptedAsker("Nowhere", "somewhere");
  const check = (host: string) => {
    if (host === "nowhere") throw new TypeError("There is no such host");
  };

  assertEquals(await askHost(asker, { check }), "somewhere");

  assertEquals(asker.shown[1], "There is no such host");
});

Deno.test("askHost() takes the default at the end of input, and says nothing more", async () => {
  const asker = new ScriptedAsker();

  assertEquals(await askHost(asker, { default: "localhost" }), "localhost");

  assertEquals(asker.shown, ["Host [localhost]: "]);
});

Deno.test("askPort() takes the default when input ends after a bad answer", async () => {
  assertEquals(await askPort(new ScriptedAsker("abc")), 9090);
});

Deno.test("question() lets an unexpected error through", async () => {
  const parse = () => {
    throw new Deno.errors.InvalidData("broken");
  };

  await assertRejects(
    () => question("Name", { asker: new ScriptedAsker("x"), default: "", parse }),
    Deno.errors.InvalidData,
  );
});
