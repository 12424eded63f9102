import { assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { parseFlags } from "../../../servers/control/command_line.ts";
import { parseServerLine, type ServerConfig, SERVERS } from "../../../servers/control/config.ts";
import { FLAGS, flagsOf } from "../../../servers/control/flags.ts";
import { testInFolder } from "../../support/permissions.ts";

function configOf(line: string): ServerConfig {
  const parsed = parseServerLine(line.split(" "));
  if ("help" in parsed) throw new Error("Cannot give a configuration: help was asked for");
  return parsed.config;
}

const DEFAULTS: ServerConfig = {
  name: "echo",
  host: "127.0.0.1",
  port: 9090,
  dataDir: "data",
  logPath: "data/logs/echo.log",
  maxConnections: 10_000,
  maxPerAddress: 2500,
  idleTimeoutMs: 600_000,
  web: true,
  raw: false,
  maxThreads: 128,
  burst: 20,
  rate: 5,
  keep: 1_000_000,
  durable: false,
};

Deno.test("parseServerLine() takes the defaults where no flag is given", () => {
  assertEquals(parseServerLine(["echo"]), { config: DEFAULTS, given: new Set<string>() });
});

Deno.test("parseServerLine() limits connections per address and their silence", () => {
  const limits = { echo: 2500, identify: 2500, auth: 64, threads: 32, chat: 64 };
  for (const [name, maxPerAddress] of Object.entries(limits)) {
    const idleTimeoutMs = name === "chat" ? 90_000 : 600_000;
    const config = configOf(name);
    assertEquals([config.maxPerAddress, config.idleTimeoutMs], [maxPerAddress, idleTimeoutMs]);
  }
  assertEquals(configOf("chat --idle-timeout 0").idleTimeoutMs, 0);
});

const GIVEN: [line: string, expected: Partial<ServerConfig>][] = [
  ["echo --host ::1", { host: "::1" }],
  ["echo -- --host ::1", { host: "::1" }],
  ["echo --host [::1]", { host: "::1" }],
  ["echo --host LocalHost", { host: "localhost" }],
  ["echo --port 0", { port: 0 }],
  ["echo --port=0", { port: 0 }],
  ["echo --port=65535", { port: 65535 }],
  ["echo --data d", { dataDir: "d", logPath: "d/logs/echo.log" }],
  ["echo --log l", { logPath: "l" }],
  ["echo --max-connections 0", { maxConnections: 0 }],
  ["echo --max-per-address=3", { maxPerAddress: 3 }],
  ["echo --idle-timeout 5", { idleTimeoutMs: 5000 }],
  ["echo --raw", { raw: true }],
];

for (const [line, expected] of GIVEN) {
  Deno.test(`parseServerLine() takes ${line}`, () => {
    assertEquals(configOf(line), { ...DEFAULTS, ...expected });
  });
}

Deno.test("parseServerLine() takes the flags of the chat", () => {
  const { burst, rate, durable } = configOf("chat --burst 7 --rate=8 --durable");

  assertEquals({ burst, rate, durable }, { burst: 7, rate: 8, durable: true });
});

Deno.test("parseServerLine() tells which flags were given, not which have a default", () => {
  const parsed = parseServerLine(["echo", "--port=9090", "--raw"]);

  assertEquals("given" in parsed && parsed.given, new Set(["port", "raw"]));
});

const REFUSED: [line: string, message: string][] = [
  ["echo --port abc", 'Cannot use --port "abc": give a whole number from 0 to 65535'],
  ["echo --port=-1", 'Cannot use --port "-1": give a whole number from 0 to 65535'],
  ["echo --port -1", 'Cannot use --port "-1": give a whole number from 0 to 65535'],
  ["echo --port -x", 'There is no flag "-x"'],
  ["echo --raw -1", 'There is no flag "-1": see --help'],
  ["echo --port 70000", 'Cannot use --port "70000": give a whole number from 0 to 65535'],
  ["echo --port 1e3", 'Cannot use --port "1e3": give a whole number from 0 to 65535'],
  ["echo --port=", "Cannot use --port without a value: give it as --port PORT"],
  ["echo --port", "Cannot use --port without a value: give it as --port PORT"],
  ["echo --port --raw", "Cannot use --port without a value: give it as --port PORT"],
  ["echo --data=", "Cannot use --data without a value: give it as --data DIR"],
  ["echo --log data/chat.db", 'Cannot use --log "data/chat.db": give a file of its own'],
  ["echo --port 1 --port 2", "Cannot use --port twice: give it once"],
  ["echo --host http://x", 'Cannot use --host "http://x": give the host alone, without http://'],
  ["echo --max-connections -5", 'Cannot use --max-connections "-5": give a whole number from 0'],
  ["echo --max-connections 1.5", 'Cannot use --max-connections "1.5": give a whole number from 0'],
  ["echo --idle-timeout 2147484", "give a whole number from 0 to 1000000"],
  ["chat --burst 0", 'Cannot use --burst "0": give a whole number from 1'],
  ["chat --rate x", 'Cannot use --rate "x": give a whole number from 1'],
  ["echo --burst 5", 'There is no flag "--burst": see --help'],
  ["chat --raw", 'There is no flag "--raw"'],
  ["echo --prot 1", 'There is no flag "--prot": did you mean --port?'],
  ["echo --prot=1", 'There is no flag "--prot=1": did you mean --port?'],
  ["echo -p 1", 'There is no flag "-p": did you mean --port?'],
  ["echo --no-raw", 'There is no flag "--no-raw"'],
  ["echo --port.x=1", 'There is no flag "--port.x=1"'],
  ["echo --__proto__=1", 'There is no flag "--__proto__=1"'],
  ["echo --constructor", 'There is no flag "--constructor"'],
  ["echo --raw=yes", "Cannot give --raw a value: it is a switch"],
  ["echo --raw yes", 'Cannot use "yes": flags begin with --'],
  ["echo 9090", 'Cannot use "9090": flags begin with --'],
  ["echo -- 9090", 'Cannot use "9090": flags begin with --'],
  ["echo --cert x", "Cannot speak TLS: give both --cert and --key"],
  ["echo --key x", "Cannot speak TLS: give both --cert and --key"],
  ["", "Cannot start a server without its name: NAME is one of echo, identify, auth"],
  ["nope", 'There is no server "nope": NAME is one of echo, identify, auth'],
  ["ehco", 'There is no server "ehco": did you mean echo?'],
  ["__proto__", 'There is no server "__proto__": NAME is one of'],
  ["constructor", 'There is no server "constructor": NAME is one of'],
];

for (const [line, message] of REFUSED) {
  Deno.test(`parseServerLine() refuses ${JSON.stringify(line)} in one line`, () => {
    const error = assertThrows(() => parseServerLine(line.split(" ")), Error, message);

    assertEquals(error.message.includes("\n"), false);
  });
}

Deno.test("parseServerLine() escapes what it refuses", () => {
  assertThrows(() => parseServerLine(["echo", "a\nb"]), Error, String.raw`"a\nb"`);
});

testInFolder(
  "parseServerLine() reads a certificate and its key, or says what is wrong",
  (folder) => {
    const path = `${folder}/pair.pem`;
    const pem = (...kinds: string[]) => kinds.map((kind) => `-----BEGIN ${kind}-----\n`).join("");
    const config = (text: string) => {
      Deno.writeTextFileSync(path, text);
      return configOf(`echo --cert ${path} --key=${path}`);
    };

    const both = pem("CERTIFICATE", "PRIVATE KEY");
    const { cert, key } = config(both);
    assertEquals([cert, key], [both, both]);
    const wrong: [text: string, message: string][] = [
      ["nonsense", `Cannot use --cert ${path}: there is no certificate in PEM in it`],
      [
        pem("CERTIFICATE", "ENCRYPTED PRIVATE KEY"),
        `Cannot use --key ${path}: there is no open private key in PEM in it`,
      ],
    ];
    for (const [text, message] of wrong) assertThrows(() => config(text), Error, message);
    assertThrows(
      () => config(" ".repeat(1024 * 1024 + 1)),
      Error,
      `Cannot use --cert ${path}: it is too large`,
    );
    assertThrows(
      () => configOf(`echo --cert ${folder} --key ${path}`),
      Error,
      `Cannot use --cert ${folder}: it is not a file`,
    );
    assertThrows(
      () => configOf(`echo --cert ${folder}/c.pem --key ${folder}/k.pem`),
      Error,
      `Cannot use --cert ${folder}/c.pem: No such file`,
    );
  },
);

Deno.test("parseServerLine() gives the names of the servers for --help alone", () => {
  const parsed = parseServerLine(["--help"]);

  assertStringIncludes("help" in parsed ? parsed.help : "", "echo, identify, auth");
});

for (const server of SERVERS) {
  Deno.test(`The help of ${server} has a line for each of its flags`, () => {
    const parsed = parseServerLine([server, "--port", "1", "--help"]);
    const help = "help" in parsed ? parsed.help : "";

    assertStringIncludes(help, `Usage: deno task ${server} [flags]\n`);
    for (const [name, { value, default: fallback }] of Object.entries(flagsOf(server))) {
      const shown = value ? `--${name} ${value}` : `--${name}`;
      assertMatch(
        help,
        new RegExp(`^  ${shown} +\\S.*${fallback ? `\\(${fallback}\\)` : ""}$`, "m"),
      );
    }
    // Each takes one row of 80 columns.
    assertEquals(help.split("\n").length, Object.keys(flagsOf(server)).length + 3);
  });
}

Deno.test("parseFlags() wraps what is longer than 80 columns in the help, below its column", () => {
  const parsed = parseFlags(["--help"], {
    usage: "x",
    flags: { long: { help: "word ".repeat(20).trim() } },
    notes: "note ".repeat(20).trim(),
  });

  const rows = "help" in parsed ? parsed.help.split("\n") : [];

  assertEquals(rows.filter((row) => row.length > 80), []);
  assertMatch(rows[3]!, /^ {10}word/);
});

Deno.test("flagsOf() leaves out what only other servers have", () => {
  const only = (server: string) =>
    Object.keys(flagsOf(server)).filter((name) => FLAGS[name]!.only !== undefined);

  assertEquals(
    [only("echo"), only("identify"), only("chat")],
    [["raw"], [], ["burst", "rate", "keep", "durable"]],
  );
});

Deno.test("flagsOf() gives a server its own defaults", () => {
  assertEquals(flagsOf("chat")["max-per-address"]!.default, "64");
  assertEquals(flagsOf("echo")["max-per-address"]!.default, "2500");
});

Deno.test("Every default passes its own check", () => {
  for (const server of SERVERS) {
    for (const flag of Object.values(flagsOf(server))) {
      if (flag.default !== undefined) flag.check?.(flag.default);
    }
  }
});
