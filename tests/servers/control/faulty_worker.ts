/** The listening thread, with a server of which each conversation goes wrong. */
import "../../../servers/control/worker.ts";
import { EXERCISES } from "../../../servers/exercises.ts";

EXERCISES["echo"] = () => ({
  async handler(conn) {
    const text = await conn.receive();
    // An endless loop cannot be ended, and would burn under the tests that follow.
    if (text === "hang") Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10_000);
    if (text === "throw") {
      setTimeout(() => {
        throw new Error("thrown by a timer");
      });
    }
    if (text === "reject") Promise.reject(new Error("rejected by nobody's promise"));
    if (text === "fail") throw new Error("failed by itself");
  },
});
