import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { stub } from "@std/testing/mock";
import { FramedConn } from "../../lib/conn/framed_conn.ts";
import { IdentityStore } from "../../lib/store/identity_store.ts";
import type { LogFile } from "../../lib/log/log_file.ts";
import { memoryConnPair } from "../../lib/conn/memory_conn.ts";
import { parseServerLine } from "../../servers/control/config.ts";
import {
  identify,
  type IdentifyOptions,
  openIdentification,
} from "../../servers/identification.ts";
import { testInFolder } from "../support/permissions.ts";
import { infoOf } from "../support/served.ts";

/** A client at an address, in conversation with the handler. */
class Visitor implements AsyncDisposable {
  readonly #conn: FramedConn;
  readonly #ended: Promise<void>;

  constructor(store: IdentityStore, address: string, options: Partial<IdentifyOptions> = {}) {
    const [mine, theirs] = memoryConnPair();
    this.#conn = new FramedConn(mine);
    const handler = identify({ store, ...options });
    this.#ended = (async () => {
      using conn = new FramedConn(theirs);
      await handler(conn, infoOf(1, address));
    })();
  }

  hears(): Promise<string | null> {
    return this.#conn.receive();
  }

  says(text: string): Promise<string | null> {
    return this.#conn.request(text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#conn.close();
    await this.#ended;
  }
}

function openStore(dataDir: string): Promise<IdentityStore> {
  return IdentityStore.open(`${dataDir}/identities.json`);
}

testInFolder("identify() asks a stranger, and puts the name before each line", async (dataDir) => {
  await using visitor = new Visitor(await openStore(dataDir), "10.0.0.1");

  assertEquals(await visitor.hears(), "What is your name?");
  assertEquals(await visitor.says(" Anna "), "Nice to meet you, Anna!");
  assertEquals(await visitor.says("hello"), "Anna: hello");
  assertEquals(await visitor.says(""), "Anna: ");
});

testInFolder(
  "identify() greets by name on the second visit, also after a restart",
  async (dataDir) => {
    await (await openStore(dataDir)).remember("10.0.0.1", "Anna");
    const store = await openStore(dataDir);
    await using visitor = new Visitor(store, "10.0.0.1");
    await using stranger = new Visitor(store, "10.0.0.2");

    assertEquals(await visitor.hears(), "Hello, Anna!");
    assertEquals(await visitor.says("hello"), "Anna: hello");
    assertEquals(await stranger.hears(), "What is your name?");
  },
);

testInFolder(
  "identify() asks again after a name that is none, with the reason",
  async (dataDir) => {
    await using visitor = new Visitor(await openStore(dataDir), "10.0.0.1");
    await visitor.hears();

    for (const bad of ["", "a b", "\x1b[2J", "x".repeat(33)]) {
      assertMatch((await visitor.says(bad))!, /^A name [ -~]+\. What is your name\?$/);
    }
    assertEquals(await visitor.says("Anna"), "Nice to meet you, Anna!");
  },
);

testInFolder("identify() greets whom another server on the same file has met", async (dataDir) => {
  const [first, second] = [await openStore(dataDir), await openStore(dataDir)];
  await using asked = new Visitor(second, "10.0.0.1");
  await asked.hears();
  await using visitor = new Visitor(first, "10.0.0.1");
  await visitor.hears();
  await visitor.says("Anna");

  await using back = new Visitor(second, "10.0.0.1");

  assertEquals(await back.hears(), "Hello, Anna!");
  assertEquals(await asked.says("hello"), "Hello, Anna!");
  assertEquals(await asked.says("hello"), "Anna: hello");
  assertEquals((await openStore(dataDir)).get("10.0.0.1"), "Anna");
});

testInFolder("identify() asks again whom it was told to forget meanwhile", async (dataDir) => {
  const store = await openStore(dataDir);
  await store.remember("10.0.0.1", "Anna");
  await using visitor = new Visitor(store, "10.0.0.1");
  await visitor.hears();

  await store.clear();

  assertEquals(await visitor.says("hello"), "What is your name?");
  assertEquals(await visitor.says("Boris"), "Nice to meet you, Boris!");
  assertEquals(await visitor.says("hello"), "Boris: hello");
});

testInFolder("identify() tells that a name could not be stored, and lives on", async (dataDir) => {
  const store = await IdentityStore.open(`${dataDir}/gone/identities.json`);
  const errors: unknown[] = [];
  const writing = { tell: (error: unknown) => errors.push(error), end: () => errors.push("end") };
  await using visitor = new Visitor(store, "10.0.0.1", { writing });
  await visitor.hears();
  await Deno.writeTextFile(`${dataDir}/gone`, "a file where the folder should be");

  assertEquals(
    await visitor.says("Anna"),
    "Your name could not be stored, please try again. What is your name?",
  );
  assertStringIncludes(String(errors[0]), "Cannot write identity file");
  await Deno.remove(`${dataDir}/gone`);
  assertEquals(await visitor.says("Anna"), "Nice to meet you, Anna!");
  assertEquals(errors.slice(1), ["end"]);
});

testInFolder(
  "identify() tells that names cannot be read, and when they can again",
  async (dataDir) => {
    const store = await IdentityStore.open(`${dataDir}/identities.json`);
    const told: string[] = [];
    const reading = {
      tell: (error: unknown) => told.push(`${error}`),
      end: () => told.push("end"),
    };
    const visit = async () => {
      await using visitor = new Visitor(store, "10.0.0.1", { reading });
      return await visitor.hears();
    };

    await Deno.writeTextFile(`${dataDir}/identities.json`, "{ half");
    assertEquals(await visit(), "What is your name?");
    await Deno.writeTextFile(`${dataDir}/identities.json`, '{ "10.0.0.1": "Anna" }');
    assertEquals(await visit(), "Hello, Anna!");

    assertStringIncludes(told[0]!, "it is not JSON in UTF-8");
    assertEquals(told.slice(1), ["end"]);
  },
);

/** The service as its task opens it. */
async function openService(dataDir: string, log = {} as LogFile) {
  const parsed = parseServerLine(["identify", "--data", dataDir]);
  if ("help" in parsed) throw new Error("Cannot open: help was asked for");
  const service = await openIdentification(parsed.config, log);
  return { ...service, [Symbol.asyncDispose]: async () => await service.close?.() };
}

testInFolder(
  "openIdentification() answers every text that fits into its frames",
  async (dataDir) => {
    await using service = await openService(dataDir);
    const [mine, theirs] = memoryConnPair();
    using conn = new FramedConn(theirs, service.options!);
    const ended = service.handler(conn, infoOf(1, "10.0.0.1"));
    using client = new FramedConn(mine);
    const name = "𐐀".repeat(32);
    await client.receive();
    await client.request("x".repeat(service.options!.maxBodyBytes!));
    await client.request(name);

    assertEquals(await client.request("x".repeat(16_384)), `${name}: ${"x".repeat(16_384)}`);
    assertEquals(await client.request("€".repeat(5461)), `${name}: ${"€".repeat(5461)}`);
    for (const text of ["x".repeat(service.options!.maxBodyBytes!), "€".repeat(5462)]) {
      assertEquals(await client.request(text), "A line has at most 16384 bytes of UTF-8");
    }
    client.close();
    await ended;
  },
);

testInFolder(
  "identify() says that no more names can be stored, and asks again",
  async (dataDir) => {
    const store = await openStore(dataDir);
    const neighbours = Array.from({ length: 64 }, (_, i) => `2001:db8::${i}:0`);
    await Promise.all(neighbours.map((address) => store.remember(address, "Anna")));
    await using visitor = new Visitor(store, "2001:db8::ffff");
    await visitor.hears();

    assertMatch(
      (await visitor.says("Boris"))!,
      /^No more names can be stored here, .* What is your name\?$/,
    );
    await store.clear();
    assertEquals(await visitor.says("Boris"), "Nice to meet you, Boris!");
  },
);

testInFolder(
  "openIdentification() sets a corrupt file aside and says so, in the log too",
  async (dataDir) => {
    using said = stub(Deno.stderr, "write", (bytes) => Promise.resolve(bytes.length));
    await Deno.writeTextFile(`${dataDir}/identities.json`, "{ half");
    const warnings: string[] = [];
    const log = { warn: (event: string) => warnings.push(event) } as unknown as LogFile;
    await using service = await openService(dataDir, log);

    assertEquals([warnings, await service.clearUsers?.()], [["identities set aside"], 0]);
    assertMatch(
      new TextDecoder().decode(said.calls[0]?.args[0]),
      /^Warning: .*identities\.json is corrupt \(it is not JSON/,
    );
    const names = (await Array.fromAsync(Deno.readDir(dataDir))).map(({ name }) => name).sort();
    assertMatch(
      names.join(" "),
      /^identities\.json identities\.json\.corrupt-\S+ identities\.json\.lock$/,
    );
  },
);
