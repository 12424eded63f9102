/**
 * A clock that a test sets while the server runs: the file `clock` in its data folder tells by how many milliseconds.
 *
 * Preloaded, it sets the clock of both threads.
 *
 * @module
 */
const RealDate = Date;
const CLOCK = `${Deno.args[Deno.args.indexOf("--data") + 1]}/clock`;

function now(): number {
  try {
    return RealDate.now() + Number(Deno.readTextFileSync(CLOCK));
  } catch {
    return RealDate.now(); // It was not set yet.
  }
}

globalThis.Date = new Proxy(RealDate, {
  construct: (target, args) => Reflect.construct(target, args.length > 0 ? args : [now()]),
  get: (target, key) => key === "now" ? now : Reflect.get(target, key),
});

const RealWorker = Worker;
globalThis.Worker = class extends RealWorker {
  constructor(_module: string | URL, options?: WorkerOptions) {
    super(new URL("./jumping_worker.ts", import.meta.url), options);
  }
};
