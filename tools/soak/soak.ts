/**
 * Mixed load on a chat server: members who must lose nothing, and clients that misbehave, over good and bad networks.
 *
 * @module
 */
import type { KeptLogin } from "../../client/session/session_login.ts";
import { type FaultProxy, startFaultProxy } from "../../lib/faults/fault_proxy.ts";
import type { Faults } from "../../lib/faults/fault_options.ts";
import { seededRandom } from "../../lib/base/seeded_random.ts";
import { sleep, within } from "../../lib/base/within.ts";
import { ChatClient } from "../shared/chat_client.ts";
import { ServerProcess } from "../shared/server_process.ts";
import { SoakMember } from "./soak_member.ts";
import { Ledger } from "./ledger.ts";
import { type Act, ACTS, type Trouble } from "./trouble.ts";
import { LogErrors, Watch } from "./watch.ts";

/** What {@linkcode soak} does. */
export interface SoakOptions {
  /** For how long, in seconds. */
  seconds: number;
  /** Chooses what is done and what goes wrong. When it happens is chosen by the machine. */
  seed: number;
  /** The folder of the server, which is made. */
  data: string;
  /** How often there is a report, in seconds. */
  reportSeconds: number;
  /** Takes the reports, a line each. */
  tell(line: string): void;
}

const MEMBERS = 12;
const TROUBLEMAKERS = 12;
const TROUBLE_NAMES = ["trouble_0", "trouble_1"];
/** How long everything may take to be said and told at the end. */
const SETTLE_MS = 60_000;

/** Soaks a server, and gives what went wrong: nothing, if all is well. */
export async function soak(options: SoakOptions): Promise<string[]> {
  const { data } = options;
  await using server = await ServerProcess.start("chat", ["--max-per-address", "0"], { data });
  const run = new Soak(options, server);
  await run.whole();
  const { problems } = run.ledger;
  await server.type("stop\n");
  const { code, err } = await server.ended();
  if (code !== 0) problems.push(`the server ended with exit code ${code}`);
  if (err !== "") problems.push(`the server wrote to standard error: ${err.trim()}`);
  problems.push(...await run.log.read());
  run.ledger.compareWith(`${data}/chat.db`);
  return problems;
}

class Soak {
  readonly ledger = new Ledger();
  readonly log: LogErrors;
  readonly #options: SoakOptions;
  readonly #server: ServerProcess;
  readonly #random: () => number;
  #members: SoakMember[] = [];
  #startedAt = 0;

  constructor(options: SoakOptions, server: ServerProcess) {
    this.log = new LogErrors(`${options.data}/logs/chat.log`);
    this.#options = options;
    this.#server = server;
    this.#random = seededRandom(options.seed);
  }

  async whole(): Promise<void> {
    const { port } = this.#server;
    const { seed } = this.#options;
    await using rough = await startFaultProxy({ to: { port }, seed });
    await using corrupt = await startFaultProxy({ to: { port }, seed, up: { flipRate: 0.001 } });
    const names = Array.from({ length: MEMBERS }, (_, i) => `member_${i}`);
    const logins: KeptLogin[] = [];
    for (const name of [...names, ...TROUBLE_NAMES]) logins.push(await register(port, name));
    const watch = this.#watch();
    await watch.begin();
    this.#startedAt = performance.now();
    this.#members = names.map((_, i) => {
      const gate = i % 2 ? rough.addr.port : port;
      return new SoakMember({ port: gate, login: logins[i]!, ledger: this.ledger });
    });
    const ports = { direct: port, corrupt: corrupt.addr.port };
    const trouble = this.#troublemakers(ports, names, logins.slice(MEMBERS));
    await Promise.all([
      ...trouble,
      this.#talk(names),
      this.#change(rough),
      this.#report(watch),
      this.#closeAtTheEnd(corrupt),
    ]);
    rough.set({ up: {}, down: {} });
    await this.#settle();
    await Promise.all(this.#members.map((member) => member.leave()));
    // What a flooder sent before it left waits for its turn, at the rate of the flood control.
    for (const name of TROUBLE_NAMES) await this.#server.command(`kick ${name}`);
    await watch.end();
  }

  /** Starts the clients that misbehave; each third one over a network that flips bits. */
  #troublemakers(
    ports: { direct: number; corrupt: number },
    names: string[],
    logins: KeptLogin[],
  ): Promise<void>[] {
    return Array.from({ length: TROUBLEMAKERS }, (_, i) => {
      const isCorrupt = i % 3 === 2;
      return this.#makeTrouble({
        port: isCorrupt ? ports.corrupt : ports.direct,
        random: seededRandom(this.#options.seed, i),
        // Where bits are flipped, what is acknowledged is not what was meant.
        ledger: isCorrupt ? new Ledger() : this.ledger,
        token: logins[i % logins.length]!.token,
        names,
      });
    });
  }

  #watch(): Watch {
    return new Watch({
      server: this.#server,
      ledger: this.ledger,
      log: this.log,
      reconnects: () => this.#members.reduce((sum, { reconnects }) => sum + reconnects, 0),
      tell: this.#options.tell,
    });
  }

  /** What a troublemaker does, one act after the other. */
  async #makeTrouble(trouble: Trouble): Promise<void> {
    const kinds = Object.entries(ACTS);
    while (!this.#isOver) {
      const [kind, act] = kinds[Math.floor(trouble.random() * kinds.length)]!;
      await this.#attempt(kind, act, trouble);
      await this.#sleep(trouble.random() * 50);
    }
  }

  async #attempt(kind: string, act: Act, trouble: Trouble): Promise<void> {
    this.ledger.trouble[kind] = (this.ledger.trouble[kind] ?? 0) + 1;
    try {
      await act(trouble);
    } catch (error) {
      // A client that misbehaves is cut off, and what crosses a network that flips bits may be truncated.
      if (!isCutOff(error)) this.ledger.problems.push(`${kind}: ${error}`);
    }
  }

  /** Lets members say something, publicly or privately, as often as the server lets them. */
  async #talk(names: string[]): Promise<void> {
    while (!this.#isOver) {
      const member = this.#members[Math.floor(this.#random() * MEMBERS)]!;
      const to = this.#random() < 0.1 ? names[Math.floor(this.#random() * MEMBERS)] : undefined;
      if (member.waiting < 5) member.say(to);
      await this.#sleep(this.#random() * 50);
    }
  }

  /** Changes the network every second. */
  async #change(rough: FaultProxy): Promise<void> {
    for (let turn = 1; !this.#isOver; turn++) {
      await this.#sleep(1000);
      rough.set({ up: this.#faults(), down: this.#faults() });
      if (turn % 3 === 0) rough.cut(turn % 2 ? "close" : "reset");
      if (turn % 7 === 0) rough.refuse(500);
    }
  }

  /** Where the length of a frame was flipped, both sides wait for each other, until the server calls that idle. */
  async #closeAtTheEnd(proxy: FaultProxy): Promise<void> {
    await this.#sleep(Infinity);
    await proxy.close();
  }

  #faults(): Faults {
    const whole = (below: number) => Math.floor(this.#random() * below);
    const kinds: Faults[] = [
      {},
      { splitBytes: 1 + whole(20) },
      { mergeMs: whole(20), jitterMs: whole(20) },
      { delayMs: whole(50), jitterMs: whole(50) },
      { bytesPerSecond: 2000 + whole(20_000) },
      { stallMs: whole(1500) },
      { cutInHeader: 1 + whole(20), cutBy: "reset" },
      { cutInBody: 1 + whole(20) },
      { cutAfterBytes: whole(5000), cutBy: "half-close" },
    ];
    return kinds[whole(kinds.length)]!;
  }

  async #report(watch: Watch): Promise<void> {
    while (!this.#isOver) {
      await this.#sleep(this.#options.reportSeconds * 1000);
      await watch.report();
    }
  }

  /** Waits until all is said and told. */
  async #settle(): Promise<void> {
    const lastId = () => Math.max(0, ...this.#members.map(({ told }) => told.last));
    this.#members[0]!.say();
    const all = Promise.all(this.#members.map((member) => member.settled(lastId)));
    if (!await within(SETTLE_MS, all)) {
      const waiting = this.#members.reduce((sum, member) => sum + member.waiting, 0);
      this.ledger.problems.push(`${waiting} messages were not said, or some not told, in the end`);
    }
  }

  get #isOver(): boolean {
    return performance.now() - this.#startedAt > this.#options.seconds * 1000;
  }

  /** Sleeps, but not past the end. */
  #sleep(ms: number): Promise<void> {
    const leftMs = this.#startedAt + this.#options.seconds * 1000 - performance.now();
    return sleep(Math.max(0, Math.min(ms, leftMs + 1)));
  }
}

/** Makes an account. */
async function register(port: number, name: string): Promise<KeptLogin> {
  using client = await ChatClient.connect(port);
  const token = await client.register(name, { history: 0 });
  const [hello] = client.received;
  const data = hello?.type === "hello" && hello.data !== undefined ? { data: hello.data } : {};
  return { name, token, tls: false, ...data };
}

function isCutOff(error: unknown): boolean {
  const classes = [
    Deno.errors.ConnectionReset,
    Deno.errors.ConnectionRefused,
    Deno.errors.ConnectionAborted,
    Deno.errors.BrokenPipe,
    Deno.errors.UnexpectedEof,
    Deno.errors.NotConnected,
  ];
  return classes.some((kind) => error instanceof kind);
}
