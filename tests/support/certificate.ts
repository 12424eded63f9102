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
  return made ??= makeCertificate(namesOf(), 2);
}
