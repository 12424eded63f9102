/**
 * A certificate for tests of TLS, made by openssl where it is installed.
 *
 * @module
 */
import { type Certificate, makeCertificate, namesOf } from "../../tools/cert/cert.ts";
import { PROCESSES, testWith } from "./permissions.ts";

/** Registers a test that gets a certificate for 127.0.0.1, or one that is skipped with the reason. */
export function testWithCertificate(
  name: string,
  fn: (certificate: Certificate) => Promise<void>,
): void {
  withOpenssl(name, () => testWith(PROCESSES, name, async () => await fn(await certificate())));
}

/** Registers a test by `register`, or one that is skipped where there is no openssl. */
export function withOpenssl(name: string, register: () => void): void {
  if (hasOpenssl()) register();
  else Deno.test({ name: `${name} (skipped: needs openssl)`, ignore: true, fn: () => {} });
}

/** Without the permission to ask, the test is skipped for another reason. */
function hasOpenssl(): boolean {
  if (Deno.permissions.querySync({ name: "run" }).state !== "granted") return true;
  try {
    return new Deno.Command("openssl", { args: ["version"] }).outputSync().success;
  } catch {
    return false;
  }
}

let made: Promise<Certificate> | undefined;

/** A certificate for 127.0.0.1, the same for all tests. */
export function certificate(): Promise<Certificate> {
  return made ??= makeCertificate(namesOf(), 2);
}

/** An authority that signs the certificates of clients, in a folder that is removed at the end. */
export class Authority implements AsyncDisposable {
  /** Its own certificate. */
  readonly cert: string;
  readonly #folder: string;

  private constructor(folder: string, cert: string) {
    this.#folder = folder;
    this.cert = cert;
  }

  /** Makes one. */
  static async make(): Promise<Authority> {
    const folder = await Deno.makeTempDir();
    await openssl(
      folder,
      "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -subj /CN=ca",
    );
    return new Authority(folder, await Deno.readTextFile(`${folder}/ca.pem`));
  }

  /** Signs the certificate of a client. With fewer than 0 days, it has expired. */
  async issue(name: string, days = 2): Promise<Certificate> {
    const folder = this.#folder;
    await openssl(
      folder,
      `req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key -out request -subj /CN=${name}`,
    );
    await Deno.writeTextFile(`${folder}/extensions`, "basicConstraints=critical,CA:FALSE\n");
    await openssl(
      folder,
      `x509 -req -in request -CA ca.pem -CAkey ca.key -out cert -days ${days} -extfile extensions`,
    );
    const read = (file: string) => Deno.readTextFile(`${folder}/${file}`);
    return { cert: await read("cert"), key: await read("key") };
  }

  /** Removes its folder. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#folder, { recursive: true });
  }
}

async function openssl(cwd: string, args: string): Promise<void> {
  const { success, stderr } = await runOpenssl(cwd, args);
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

/** Runs openssl in a folder, without input. */
export function runOpenssl(cwd: string, args: string): Promise<Deno.CommandOutput> {
  return new Deno.Command("openssl", { args: args.split(" "), cwd, stdin: "null" }).output();
}
