/**
 * Programs that run to their end.
 *
 * @module
 */
import type { Ended } from "../../tools/shared/program.ts";

const CHECKOUT = new URL("../../", import.meta.url);

/** Runs Deno in the checkout, without colours and without input, unless told otherwise. */
export async function deno(args: string[], options: Deno.CommandOptions = {}): Promise<Ended> {
  const command = new Deno.Command(Deno.execPath(), {
    cwd: CHECKOUT,
    env: { NO_COLOR: "1" },
    stdin: "null",
    ...options,
    args,
  });
  const { code, stdout, stderr } = await command.output();
  const [out = "", err = ""] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code, out, err };
}
