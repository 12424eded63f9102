/**
 * A certificate for tests of TLS, made by openssl where it is installed.
 *
 * @module
 */
import { PROCESSES, testWith } from "./permissions.ts";

const EXTENSIONS = [
  "basicConstraints=critical,CA:FALSE",
  "subjectAltName=DNS:localhost,IP:127.0.0.1",
];
// The key and the certificate both go to standard output, so nothing is left on the disk.
const REQUEST = [
  ..."req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2".split(" "),
  ..."-subj /CN=localhost -keyout /dev/stdout -out /dev/stdout".split(" "),
  ...EXTENSIONS.flatMap((extension) => ["-addext", extension]),
];

/** A certificate that signs itself, and its key, both in PEM. */
export interface Certificate {
  cert: string;
  key: string;
}

/** Registers a test that gets a certificate for 127.0.0.1, or one that is skipped with the reason. */
export function testWithCertificate(
  name: string,
  fn: (certificate: Certificate) => Promise<void>,
): void {
  if (hasOpenssl()) testWith(PROCESSES, name, async () => await fn(await certificate()));
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

function certificate(): Promise<Certificate> {
  return made ??= make();
}

async function make(): Promise<Certificate> {
  const { stdout } = await new Deno.Command("openssl", { args: REQUEST, stderr: "null" }).output();
  const pem = new TextDecoder().decode(stdout);
  const block = (label: string) =>
    pem.match(new RegExp(`-----BEGIN ${label}-----[^]+-----END ${label}-----\n`))![0];
  return { cert: block("CERTIFICATE"), key: block("PRIVATE KEY") };
}
