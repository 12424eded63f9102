import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { PASSWORD } from "../../tools/shared/chat_client.ts";
import { startChat } from "../support/chat_server.ts";
import { PROCESSES, testWith } from "../support/permissions.ts";

const CHECKOUT = new URL("../../", import.meta.url);

interface Run {
  args: string[];
  input?: string;
  folder: string;
  /** What it may use besides the network. */
  allow?: string[];
  /** Where the modules come from. */
  from?: string;
  /** Where the output goes, as a shell understands it. */
  redirection?: string;
}

/** Runs the client in a folder of its own, and gives what it left. */
async function runChat(run: Run) {
  const { args, input = "", folder, allow = [], from = CHECKOUT.href, redirection } = run;
  const shell = redirection === undefined ? [] : ["sh", "-c", `exec "$@" ${redirection}`, "sh"];
  const [command, ...before] = [...shell, Deno.execPath()];
  const child = new Deno.Command(command!, {
    args: [
      ...before,
      ...["run", "--no-prompt", "--no-config", "--quiet", "--allow-net", ...allow],
      ...[`${from}client/chat.ts`, ...args],
    ],
    cwd: folder,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input)).catch(() => {});
  await writer.close().catch(() => {});
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

/** Runs a test with a chat, a folder, and a password file in it. */
function chatTest(name: string, test: (port: string, folder: string) => Promise<void>) {
  testWith(PROCESSES, name, async () => {
    await using chat = startChat();
    await chat.members.accounts.register("anna", PASSWORD);
    const folder = await Deno.makeTempDir();
    try {
      await Deno.writeTextFile(`${folder}/pw`, `${PASSWORD}\n`);
      await test(`${chat.server.addr.port}`, folder);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

const FILES = ["--allow-read=.", "--allow-write=data"];
const ANNA = ["--name", "anna", "--password-file", "pw"];

chatTest(
  "client/chat.ts says what a pipe gives, and leaves when all is said",
  async (port, folder) => {
    const input = "hello\n\n//slash\n/msg anna psst\nlast, without a newline";

    const { code, out, err } = await runChat({
      args: ["--port", port, ...ANNA],
      ...{ input, folder, allow: FILES },
    });

    assertEquals(code, 0, err);
    const lines = out.trimEnd().split("\n").map((line) => line.replace(/^\d\d:\d\d /, ""));
    assertEquals(lines, [
      "> anna: hello",
      "> anna: /slash",
      "> anna (to anna): psst",
      "> anna: last, without a newline",
    ]);
    assertEquals(err, "Logged in as anna\n");
  },
);

chatTest("client/chat.ts comes in by the login kept, until it logs out", async (port, folder) => {
  const run = (input: string, ...args: string[]) =>
    runChat({ args: ["--port", port, ...args], input, folder, allow: FILES });

  assertEquals((await run("", ...ANNA)).code, 0);
  const { out } = await run("/me\n/logout\n");
  assertEquals(out, "You are anna\n");
  const { code, err } = await run("", "--name", "anna");

  assertEquals([code, err], [
    1,
    "Cannot log in: give --password-file, or start it at a terminal\n",
  ]);
});

chatTest("client/chat.ts speaks JSON with bots", async (port, folder) => {
  const input = '{"type":"say","text":"hi","ref":"r1"}\nnonsense\n{"type":"whoami"}\n';

  const { code, out } = await runChat({
    args: ["--port", port, ...ANNA, "--json", "--history", "0"],
    ...{ input, folder, allow: FILES },
  });

  assertEquals(code, 1);
  const messages = out.trimEnd().split("\n").map((line) => JSON.parse(line));
  assertEquals(messages.map(({ type }) => type).sort(), [
    "hello",
    "said",
    "welcome",
    "you",
  ]);
  assert(!out.includes("token"));
});

chatTest(
  "client/chat.ts exits with 1 and the reason when a password is wrong",
  async (port, folder) => {
    await Deno.writeTextFile(`${folder}/pw`, "wrong-password");

    const { code, out, err } = await runChat({
      args: ["--port", port, ...ANNA],
      ...{ folder, allow: FILES },
    });

    assertEquals([code, out, err], [1, "", "The name or the password is wrong\n"]);
  },
);

chatTest("client/chat.ts exits with 1 when a line was no command", async (port, folder) => {
  const { code, err } = await runChat({
    args: ["--port", port, ...ANNA],
    ...{ input: "/whp\n", folder, allow: FILES },
  });

  assertEquals(code, 1);
  assertStringIncludes(err, "There is no command /whp: did you mean /who?\n");
});

chatTest("client/chat.ts fails where its output cannot be written", async (port, folder) => {
  if (Deno.build.os !== "linux") return;

  const { code, err } = await runChat({
    args: ["--port", port, ...ANNA],
    ...{ input: "hello\n", folder, allow: FILES, redirection: ">/dev/full" },
  });

  assertEquals(code, 1);
  assertStringIncludes(err, "No space left on device");
});

testWith(PROCESSES, "client/chat.ts exits with 2 and one line for a wrong flag", async () => {
  const { code, out, err } = await runChat({ args: ["--port", "70000"], folder: "." });

  assertEquals([code, out], [2, ""]);
  assertMatch(err, /^[^\n]*70000[^\n]*\n$/);
});

for (const name of ["hello", "data/chat.db"]) {
  chatTest(`client/chat.ts refuses to replace ${name} by its logins`, async (port, folder) => {
    await Deno.mkdir(`${folder}/data`);
    await Deno.writeTextFile(`${folder}/${name}`, "SQLite format 3\0");

    const { code, err } = await runChat({
      args: ["--port", port, ...ANNA, "--session", name],
      ...{ folder, allow: ["--allow-read=.", "--allow-write=."] },
    });

    assertEquals(code, 2);
    assertStringIncludes(err, `Cannot keep logins in ${name}: it is not a list of logins`);
    assertEquals(await Deno.readTextFile(`${folder}/${name}`), "SQLite format 3\0");
  });
}

chatTest("client/chat.ts says which flags keep the login", async (port, folder) => {
  const { code, err } = await runChat({
    args: ["--port", port, ...ANNA],
    ...{ folder, allow: ["--allow-read=pw"] },
  });

  assertEquals(code, 0);
  assertStringIncludes(err, "The login is not kept: start the client with --allow-read=data");
});

for (
  const [what, answer, reason] of [
    ["an echo server", undefined, "use deno task client --host 127.0.0.1 --port"],
    ["an HTTP server", "HTTP/1.1 400 Bad Request\r\n\r\n", "this is an HTTP server"],
    ["a TLS server", "\x15\x03\x03\0\x02\x02F", "the server speaks TLS: add --tls"],
  ] as const
) {
  testWith(PROCESSES, `client/chat.ts ends at ${what}, and says what it is`, async () => {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const serving = (async () => {
      using conn = await listener.accept();
      const buffer = new Uint8Array(1024);
      const read = await conn.read(buffer);
      const bytes = answer === undefined
        ? buffer.slice(0, read!)
        : new TextEncoder().encode(answer);
      await conn.write(bytes);
      await conn.read(buffer).catch(() => {}); // until the client has left
    })();
    const folder = await Deno.makeTempDir();
    await Deno.writeTextFile(`${folder}/pw`, PASSWORD);

    const { code, err } = await runChat({
      args: ["--port", `${listener.addr.port}`, ...ANNA],
      ...{ folder, allow: ["--allow-read=."] },
    });
    await serving;
    await Deno.remove(folder, { recursive: true });

    assertEquals(code, 1);
    assertStringIncludes(err, reason);
  });
}

chatTest("client/chat.ts runs by URL with nothing but --allow-net", async (port, folder) => {
  await using checkout = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (r) => {
      const source = await Deno.readTextFile(new URL(`.${new URL(r.url).pathname}`, CHECKOUT));
      return new Response(source, { headers: { "content-type": "text/typescript" } });
    },
  );

  const { code, err } = await runChat({
    args: ["--port", port, "--name", "anna"],
    ...{ folder, from: `http://127.0.0.1:${checkout.addr.port}/` },
  });

  // Nobody is there to type a password: it has loaded, and asked for no permission.
  assertEquals([code, err], [
    1,
    "Cannot log in: give --password-file, or start it at a terminal\n",
  ]);
});

for (const days of [-400, 8, 400]) {
  chatTest(
    `client/chat.ts with a clock wrong by ${days} days deletes no login, and uses its own`,
    async (port, folder) => {
      const run = (...args: string[]) =>
        runChat({ args: ["--port", port, "--history", "0", ...args], folder, allow: FILES });
      assertEquals((await run("--name", "boris", "--register", "--password-file", "pw")).code, 0);
      assertEquals((await run(...ANNA)).code, 0);
      const clock = `const { now } = Date; Date.now = () => now() + ${days} * 86_400_000;`;
      await Deno.writeTextFile(`${folder}/clock.js`, clock);

      const allow = [...FILES, "--preload", `${folder}/clock.js`];
      const wrong = await runChat({ args: ["--port", port, "--name", "anna"], folder, allow });

      assertEquals([wrong.code, wrong.err], [0, "Logged in as anna\n"]);
      assertEquals((await run("--name", "boris")).err, "Logged in as boris\n");
    },
  );
}
