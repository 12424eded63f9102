import { assertEquals, assertStringIncludes } from "@std/assert";
import { FramedConn } from "../../lib/conn/framed_conn.ts";
import { encodeFrame } from "../../lib/frame/frame.ts";
import { serve } from "../../lib/server/server.ts";
import { readLines } from "../../lib/terminal/lines.ts";
import { ServerProcess } from "../../tools/shared/server_process.ts";
import { PROCESSES, testWith } from "../support/permissions.ts";

// Controls of C0 and C1, DEL, line separators, bidirectional marks, overrides and isolates, what shows nothing.
const HOSTILE = [
  "\x1b[2J\x1b]0;owned\x07",
  "\x9b31m\x9d0;owned\x9c\x85",
  "\x7f\b\x00\r\nforged line",
  "\u2028forged\u2029line",
  "\u200e\u200f\u061c\u202a\u202b\u202d\u202egnp.exe\u202c\u2066\u2067\u2068\u2069",
  "\u200b\ufeff\u00ad\u{e0041}",
];
const UNSAFE =
  // deno-lint-ignore no-control-regex -- control characters are what is looked for
  /[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\u{e0000}-\u{e007f}]/gu;

const ROOT = new URL("../../", import.meta.url);

function unsafeOf(...texts: string[]): string[] {
  return texts.flatMap((text) => text.match(UNSAFE) ?? []);
}

/** Sends each text as a frame, and then as bytes where a header should be. */
async function sendAll(port: number): Promise<void> {
  for (const text of HOSTILE) {
    using conn = await FramedConn.connect({ port });
    conn.send(text);
    conn.send(
      JSON.stringify({ type: text, ref: text, name: text, password: text, to: text, text }),
    );
    conn.send(JSON.stringify({ type: "hello", version: 1, token: text }));
    conn.send(JSON.stringify({ type: "register", name: text, password: `12345678${text}` }));
    await conn.sendBytes(Uint8Array.of(0x1b, 0xc3, 0x28));
    await conn.write(new TextEncoder().encode(`\xff${text}`));
    await conn.closeWrite();
    await conn.discard();
  }
}

for (const name of ["echo", "identify", "auth", "threads", "chat"]) {
  testWith(
    PROCESSES,
    `${name} shows and logs nothing unsafe that comes in by any door`,
    async () => {
      await using server = await ServerProcess.start(name);
      await sendAll(server.port);

      for (const text of HOSTILE) {
        const typed = text.replace(/[\r\n]/g, "");
        for (const command of ["kick ", "logs ", "", "say "]) {
          await server.type(`${command}${typed}\n`);
        }
      }
      await server.type("who\nlogs 1000\nstop\n");
      const { code, out, err } = await server.ended();

      const logs = Array.from(Deno.readDirSync(`${server.data}/logs`), (file) => file.name);
      const log = logs.map((file) => Deno.readTextFileSync(`${server.data}/logs/${file}`)).join("");
      assertEquals([code, unsafeOf(out, err, log)], [0, []]);
      assertEquals(log.split("\n").filter((line) => line.startsWith("forged")), []);
      assertStringIncludes(out, "Stopped");
    },
  );
}

/** A program that runs until it is stopped. */
class Program implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #out: AsyncGenerator<string, void, void>;
  readonly #err: Promise<string>;
  #lines: string[] = [];

  constructor(script: string, ...args: string[]) {
    const child = this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "-A", script, ...args],
      cwd: ROOT,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
      env: { NO_COLOR: "1" },
    }).spawn();
    this.#out = readLines(child.stdout);
    this.#err = new Response(child.stderr).text();
  }

  async line(): Promise<string> {
    const { value } = await this.#out.next();
    this.#lines.push(value ?? "");
    return value ?? "";
  }

  async type(text: string): Promise<void> {
    const writer = this.#child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(text));
    writer.releaseLock();
  }

  /** Asks it to end, and gives what it has shown. */
  async end(): Promise<{ out: string; err: string }> {
    this.#kill("SIGTERM");
    for await (const line of this.#out) this.#lines.push(line);
    await this.#child.status;
    return { out: this.#lines.join("\n"), err: await this.#err };
  }

  #kill(signal: Deno.Signal): void {
    try {
      this.#child.kill(signal);
    } catch {
      // It has ended by itself.
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#kill("SIGKILL");
    await this.#child.stdin.close().catch(() => {});
    for await (const _ of this.#out);
    await this.#err;
    await this.#child.status;
  }
}

/** A server that says what a hostile one would. */
function hostileServer(texts: string[]) {
  return serve(async (conn) => {
    await conn.receive();
    for (const text of texts) await conn.send(text);
    await conn.receive();
  }, { port: 0, goodbye: () => `Goodbye: ${HOSTILE.join()}` });
}

testWith(PROCESSES, "The line client shows nothing unsafe that a server sends", async () => {
  await using server = hostileServer(HOSTILE);
  await using client = new Program("client/main.ts", "--port", `${server.addr.port}`);

  await client.type("hello\n");
  for (const _ of HOSTILE) await client.line();
  await client.type(`${HOSTILE[0]}\n`);
  const { err } = await client.end();

  // In a pipe, replies are given as they are.
  assertEquals(unsafeOf(err), []);
});

testWith(PROCESSES, "The chat client shows nothing unsafe that a server sends", async () => {
  const each = (make: (text: string) => unknown) =>
    HOSTILE.map((text) => JSON.stringify(make(text)));
  await using server = hostileServer([
    ...each((text) => ({ type: "hello", version: 1, server: text, data: text })),
    ...each((text) => ({ type: "error", code: text, message: text, ref: text })),
    ...each((text) => ({ type: "notice", text })),
    ...each((text) => ({ type: "welcome", name: text, token: text, expires: text, last: 0 })),
    ...each((text) => ({ type: "message", id: 1, at: text, from: text, text })),
    ...each((text) => ({ type: "users", names: [text] })),
    ...each((text) => ({ type: "bye", reason: text })),
  ]);
  await using client = new Program(
    "client/chat.ts",
    ...["--port", `${server.addr.port}`, "--no-session", "--name", "Anna", "--register"],
  );

  await client.type("hello\n");
  await client.line();
  const { out, err } = await client.end();

  assertEquals(unsafeOf(out, err), []);
});

testWith(
  PROCESSES,
  "A server shows and logs nothing unsafe that an HTTP client sends",
  async () => {
    await using server = await ServerProcess.start("echo");

    for (const text of HOSTILE) {
      for (
        const request of [
          `GET /${text} HTTP/1.1`,
          `HEAD ${text} / HTTP/1.1`,
          `GET / HTTP/1.1\r\n${text}: ${text}`,
        ]
      ) {
        using conn = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
        await conn.write(
          new TextEncoder().encode(`${request}\r\nHost: ${text}\r\nConnection: close\r\n\r\n`),
        );
        await conn.closeWrite();
        const response = await new Response(conn.readable).text().catch(() => "");
        assertEquals(unsafeOf(response.replaceAll("\r\n", "\n")), []);
      }
    }
    await server.type("who\nstop\n");
    const { code, out, err } = await server.ended();
    const log = await Deno.readTextFile(`${server.data}/logs/echo.log`);

    assertEquals([code, unsafeOf(out, err, log)], [0, []]);
  },
);

testWith(PROCESSES, "faults shows nothing unsafe that crosses it", async () => {
  await using server = serve(async (conn) => {
    for await (const text of conn) await conn.send(text);
  }, { port: 0 });
  const to = `127.0.0.1:${server.addr.port}`;
  await using faults = new Program(
    "tools/faults/fault_program.ts",
    "--to",
    to,
    "--listen",
    "0",
    "--trace",
  );
  const port = Number(/:(\d+)$/.exec(await faults.line())![1]);

  for (const text of HOSTILE) {
    using conn = await Deno.connect({ hostname: "127.0.0.1", port });
    await conn.write(encodeFrame(text));
    await conn.write(new TextEncoder().encode(text));
    await conn.closeWrite();
    await new Response(conn.readable).bytes().catch(() => {});
    await faults.type(`${text}\n`);
  }
  const { out, err } = await faults.end();

  assertEquals(unsafeOf(out, err), []);
});
