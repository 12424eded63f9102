/**
 * Makes a certificate for the servers' `--cert` and `--key`, of the kind that Deno accepts. Needs openssl.
 *
 * @module
 */
import { join } from "node:path";
import { parseHost } from "../../lib/base/endpoint.ts";
import { makePrivateFolder } from "../../lib/store/private_folder.ts";
import { type Program, runProgram, wholeNumber } from "../../servers/control/command_line.ts";

const DATA = "data";
const OWN_NAMES = ["DNS:localhost", "IP:127.0.0.1", "IP:::1"];

const PROGRAM: Program = {
  usage: "deno task cert [flags]",
  flags: {
    host: { value: "HOST", help: "another name or address of this machine", check: parseHost },
    days: {
      value: "N",
      help: "how long the certificate is valid",
      default: "365",
      check: wholeNumber(1, 99_999),
    },
  },
  notes: "Makes data/cert.pem and data/key.pem for this machine. It replaces no file.",
};

/** A certificate and its private key, both in PEM. */
export interface Certificate {
  /** The certificate, signed by its own key. */
  cert: string;
  /** The private key. */
  key: string;
}

/** The subject's alternative names: a client checks the host it connected to against them. */
export function namesOf(host?: string): string {
  if (host === undefined) return OWN_NAMES.join();
  const isAddress = host.includes(":") || /^[\d.]+$/.test(host);
  return [...OWN_NAMES, `${isAddress ? "IP" : "DNS"}:${host}`].join();
}

/**
 * Makes a certificate, without a file.
 *
 * @throws {Error} If openssl is not installed or fails.
 */
export async function makeCertificate(names: string, days: number): Promise<Certificate> {
  const args = [
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
    ...["-keyout", "/dev/stdout", "-out", "/dev/stdout", "-days", `${days}`],
    ...["-subj", "/CN=localhost", "-addext", `subjectAltName=${names}`],
    // Deno refuses a certificate that may sign others, which openssl makes by default.
    ...["-addext", "basicConstraints=critical,CA:FALSE"],
  ];
  const { success, stdout, stderr } = await openssl(args);
  const pem = new TextDecoder().decode(stdout);
  const block = (label: string) =>
    new RegExp(`-----BEGIN ${label}-----[^]+-----END ${label}-----\n`).exec(pem)?.[0];
  const [cert, key] = [block("CERTIFICATE"), block("PRIVATE KEY")];
  if (success && cert && key) return { cert, key };
  throw new Error(`Cannot make a certificate: ${new TextDecoder().decode(stderr).trim()}`);
}

async function openssl(args: string[]): Promise<Deno.CommandOutput> {
  try {
    return await new Deno.Command("openssl", { args }).output();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Error("Cannot make a certificate: openssl is not installed. Install it, try again");
  }
}

/** Refuses whatever has the file's name: a file, a folder, or a link, wherever that leads. */
function refuseExisting(path: string): void {
  try {
    Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw error;
  }
  throw new Error(
    `Cannot make ${path}: it exists. To replace it, move it away first: mv ${path} ${path}.old`,
  );
}

async function main({ host, days }: Record<string, string>): Promise<void> {
  const [cert, key] = [join(DATA, "cert.pem"), join(DATA, "key.pem")];
  for (const path of [cert, key]) refuseExisting(path);
  const made = await makeCertificate(namesOf(host), Number(days));
  makePrivateFolder(DATA);
  // `createNew` follows no link and replaces no file that has appeared since.
  Deno.writeTextFileSync(key, made.key, { createNew: true, mode: 0o600 });
  Deno.writeTextFileSync(cert, made.cert, { createNew: true });
  console.log(`Made ${cert} and ${key}, valid for ${days} days. Now:`);
  console.log(`  deno task chat --cert ${cert} --key ${key}`);
  console.log(`  deno task chat:client --tls --ca ${cert}`);
}

if (import.meta.main) await runProgram(PROGRAM, main);
