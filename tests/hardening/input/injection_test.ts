import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { ChatClient } from "../../../tools/shared/chat_client.ts";
import { PROCESSES, testWith } from "../../support/permissions.ts";
import { ServerProcess } from "../../../tools/shared/server_process.ts";

const FORGED = "2026-01-01T00:00:00.000Z INFO chat stopped";
const HOSTILE = [
  `\n${FORGED}`,
  `\r\n${FORGED}`,
  `\x1b[2J\x1b]0;owned\x07`,
  `\x9b31m`,
  `\u202egnp.exe`,
  `\u2028${FORGED}`,
  `\0`,
  `%s %n \${x} $(x)`,
];
const LINE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z [A-Z]+ \w+ [a-z][ -~]*$/;
// deno-lint-ignore no-control-regex -- control characters are what is looked for
const COMMANDS = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;

/** Does everything that a stranger can do to be written down. */
async function attack(server: ServerProcess): Promise<void> {
  for (const text of HOSTILE) {
    using client = await ChatClient.connect(server.port);
    await client.send({ type: "hello", version: 1, token: text });
    await client.send({ type: "register", name: text, password: text });
    await client.send({ type: "login", name: `Anna${text}`, password: text });
    await client.send({ type: text, ref: text, text });
    await client.send(text);
    await client.register(`Mallory_${HOSTILE.indexOf(text)}`);
    await client.send({ type: "say", ref: text, text: `x${text}` });
    await client.send({ type: "tell", ref: text, to: text, text });
    await client.all();
    await client.conn.sendBytes(Uint8Array.of(0x1b, 0xc3, 0x28));
    await client.all();
    // No frame any more: the text stands where a header should.
    await client.conn.write(new TextEncoder().encode(`\xff${text}${FORGED}`));
    await client.rest();
  }
}

testWith(
  PROCESSES,
  "chat writes one well-formed line for each event, whatever a stranger sends",
  async () => {
    await using server = await ServerProcess.start("chat");

    await attack(server);
    const kicked = await server.command(`kick \x1b[2J`);
    const shown = await server.command("logs 1000", 20);
    await server.stop();

    const lines = (await server.log()).trimEnd().split("\n");
    assertEquals(lines.filter((line) => !LINE.test(line)), []);
    assertEquals(lines.filter((line) => line.endsWith(" stopped")).length, 1);
    assertEquals(lines.filter((line) => line.includes("owned")), []);
    assertEquals([kicked, shown].filter((text) => COMMANDS.test(text)), []);
    assert(lines.filter((line) => line.includes("reason=protocol")).length >= HOSTILE.length);
  },
);

testWith(
  PROCESSES,
  "The chat client in a pipe shows what others say in one line, and obeys none of it",
  async () => {
    await using server = await ServerProcess.start("chat");
    using mallory = await ChatClient.connect(server.port);
    await mallory.register("Mallory");
    for (const text of HOSTILE) await mallory.say(`x${text}`);
    await mallory.say("the last");

    const password = `${server.data}/password`;
    await Deno.writeTextFile(password, "correct horse");
    const client = new Deno.Command(Deno.execPath(), {
      args: [
        ..."run --quiet --no-prompt --allow-net=127.0.0.1".split(" "),
        `--allow-read=${server.data}`,
        "client/chat.ts",
        ...`--port ${server.port} --name Anna --register --history 50`.split(" "),
        ...["--password-file", password],
      ],
      cwd: new URL("../../../", import.meta.url),
      stdin: "null",
      env: { NO_COLOR: "1" },
    });
    const { stdout, stderr } = await client.output();
    const out = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);

    assertEquals(out.match(COMMANDS), null);
    assertStringIncludes(out, "the last");
    assertEquals(out.split("\n").filter((line) => line.startsWith(FORGED)), []);
  },
);
