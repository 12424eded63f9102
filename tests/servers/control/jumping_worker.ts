/** The listening thread, with a clock that a test sets. */
import "./jumping_clock.ts";
import "../../../servers/control/worker.ts";
