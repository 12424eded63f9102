/** Lets a program run the faulty listening thread in place of the real one. */
const RealWorker = Worker;
globalThis.Worker = class extends RealWorker {
  constructor(_module: string | URL, options?: WorkerOptions) {
    super(new URL("./faulty_worker.ts", import.meta.url), options);
  }
};
