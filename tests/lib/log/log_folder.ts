import { join } from "node:path";

/** A folder for one test, with the path of a log in it. */
export class LogFolder implements Disposable {
  readonly path = Deno.makeTempDirSync();
  readonly log = join(this.path, "echo.log");

  names(): string[] {
    return [...Deno.readDirSync(this.path)].map((entry) => entry.name).sort();
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

/** The lines of a file without their times. */
export function events(path: string): string[] {
  return Deno.readTextFileSync(path).split("\n").slice(0, -1).map((line) =>
    line.replace(/^\S+ /, "")
  );
}
