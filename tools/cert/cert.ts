/**
 * Makes a certificate for the servers' `--cert` and `--key`, of the kind that Deno accepts. Needs openssl.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { join } from "node:path";
import { parseHost } from "../../lib/base/endpoint.ts";
import { withoutSeparator } from "../../lib/base/task_args.ts";

const USAGE = `Usage: deno task cert [--host HOST] [--days N]

Makes data/cert.pem and data/key.pem for this machine and, with --host, for another of its names or addresses.`;

const DATA = "data";
const OWN_NAMES = ["DNS:localhost", "IP:127.0.0.1", "IP:::1"];

/** Makes the two files and gives the exit code. */
export async function main(args: string[]): Promise<number> {
  try {
    const { host, days = "365", help } = parseArgs(withoutSeparator(args), {
      string: ["host", "days"],
      boolean: ["help"],
      unknown: (arg) => {
        throw new Error(`There is no flag ${arg}: see --help`);
      },
    });
    if (help) console.log(USAGE);
    else await makeCertificate(host === undefined ? undefined : parseHost(host), days);
    return 0;
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    return 2;
  }
}

async function makeCertificate(host: string | undefined, days: string): Promise<void> {
  if (!/^[1-9]\d{0,4}$/.test(days)) {
    const given = JSON.stringify(days);
    throw new RangeError(`Cannot use --days ${given}: give a whole number from 1 to 99999`);
  }
  const [cert, key] = [join(DATA, "cert.pem"), join(DATA, "key.pem")];
  await Deno.mkdir(DATA, { recursive: true });
  await openssl(certificateArgs({ cert, key, days, names: namesOf(host) }));
  await Deno.chmod(key, 0o600);
  console.log(`Made ${cert} and ${key}, good for ${days} days. Now:`);
  console.log(`  deno task chat --cert ${cert} --key ${key}`);
  console.log(`  deno task chat:client --tls --ca ${cert}`);
}

/** The subject's alternative names: a client checks the host it connected to against them. */
export function namesOf(host?: string): string {
  if (host === undefined) return OWN_NAMES.join();
  const isAddress = host.includes(":") || /^[\d.]+$/.test(host);
  return [...OWN_NAMES, `${isAddress ? "IP" : "DNS"}:${host}`].join();
}

/** What a certificate is made of. */
export interface CertificateFiles {
  /** Where the certificate goes. */
  cert: string;
  /** Where its private key goes. */
  key: string;
  /** How many days it is good for. */
  days: string;
  /** The subject's alternative names, as openssl writes them. */
  names: string;
}

/** Deno refuses a certificate that may sign others, which is what openssl makes unless it is told not to. */
export function certificateArgs({ cert, key, days, names }: CertificateFiles): string[] {
  return [
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
    ...["-keyout", key, "-out", cert, "-days", days, "-subj", "/CN=localhost"],
    ...["-addext", `subjectAltName=${names}`],
    ...["-addext", "basicConstraints=critical,CA:FALSE"],
  ];
}

async function openssl(args: string[]): Promise<void> {
  try {
    const { success, stderr } = await new Deno.Command("openssl", { args }).output();
    if (!success) throw new Error(`openssl failed: ${new TextDecoder().decode(stderr).trim()}`);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Error(
      "Cannot make a certificate: openssl is not installed. Install it and try again",
    );
  }
}

if (import.meta.main) Deno.exitCode = await main(Deno.args);
