/**
 * What the fault proxy shows of the wire and of itself.
 *
 * @module
 */

import { joinHostPort } from "../../lib/base/endpoint.ts";
import type { FaultDirection } from "../../lib/faults/fault_connection.ts";
import type { FaultCounts, FaultProxyEvent, FaultSummary } from "../../lib/faults/fault_proxy.ts";
import { FrameTrace, type FrameTraceOptions } from "./frame_trace.ts";

const ARROWS: Record<FaultDirection, string> = { up: "→", down: "←" };

// Splits and delays strike everything: the number of pieces and the times show them already.
const UNTOLD = ["split", "delay"];

/** Turns the events of a proxy into lines with the time, the connection and the direction. */
export class FaultTrace {
  /** Whether there are lines at all. Frames are followed while it is off, too. */
  isOn: boolean;
  readonly #options: FrameTraceOptions;
  readonly #traces = new Map<number, Record<FaultDirection, FrameTrace>>();

  /** Follows every connection from its first byte. */
  constructor(isOn: boolean, options: FrameTraceOptions = {}) {
    this.isOn = isOn;
    this.#options = options;
  }

  /** The lines for one event; `at` is its time. */
  lines(event: FaultProxyEvent, at: Date = new Date()): string[] {
    const time = at.toISOString().slice(11, 23);
    const lines = this.#describe(event);
    return this.isOn ? lines.map((line) => `${time} ${line}`) : [];
  }

  #describe(event: FaultProxyEvent): string[] {
    switch (event.type) {
      case "listening":
        return [];
      case "refusing":
        return [`refusing new connections for ${event.ms} ms`];
      case "connected": {
        const { hostname, port } = event.remoteAddr;
        return [`#${event.id} connected from ${joinHostPort(hostname, port)}`];
      }
      case "delivered":
        return this.#of(event.id)[event.direction].push(event.bytes)
          .map((line) => `#${event.id} ${ARROWS[event.direction]} ${line}`);
      case "fault":
        if (UNTOLD.includes(event.fault)) return [];
        return [`#${event.id} ${ARROWS[event.direction]} ${event.fault} at byte ${event.at}`];
      case "closed":
        return this.#closed(event.id, event.reason);
    }
  }

  #closed(id: number, reason: string): string[] {
    const { up, down } = this.#of(id);
    this.#traces.delete(id);
    return [
      ...up.end().map((line) => `#${id} ${ARROWS.up} ${line}`),
      ...down.end().map((line) => `#${id} ${ARROWS.down} ${line}`),
      `#${id} closed: ${reason}`,
    ];
  }

  #of(id: number): Record<FaultDirection, FrameTrace> {
    const traces = this.#traces.get(id) ??
      { up: new FrameTrace(this.#options), down: new FrameTrace(this.#options) };
    this.#traces.set(id, traces);
    return traces;
  }
}

/** The numbers of a proxy for a person. */
export function summaryText(summary: FaultSummary): string {
  return [
    `Connections: ${summary.connections}`,
    `Client to server: ${countsText(summary.up)}`,
    `Server to client: ${countsText(summary.down)}`,
  ].join("\n");
}

function countsText({ bytes, frames, faults }: FaultCounts): string {
  const struck = Object.entries(faults).map(([fault, times]) => `${fault} ${times}`).join(", ");
  return `${bytes} bytes, ${frames} frames; faults: ${struck || "none"}`;
}
