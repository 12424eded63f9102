/**
 * A progress bar on a terminal.
 *
 * @module
 */

/** What a formatter may show. */
export interface ProgressBarFormatter {
  /** Time passed as `mm:ss`. */
  styledTime: string;
  /** Bytes as `0.40/97.66 KiB`. */
  styledData: string;
  /** The bar as `###-------`. */
  progressBar: string;
  /** Milliseconds passed. */
  time: number;
  /** Milliseconds passed when it was last drawn. */
  previousTime: number;
  /** The value now. */
  value: number;
  /** The value when it was last drawn. */
  previousValue: number;
  /** The value at the end. */
  max: number;
}

/** Options of a {@linkcode ProgressBar}. */
export interface ProgressBarOptions {
  /**
   * Where the bar is drawn.
   *
   * @default {Deno.stderr.writable}
   */
  writable?: WritableStream<Uint8Array>;
  /**
   * The value to start from.
   *
   * @default {0}
   */
  value?: number;
  /** The value at the end. */
  max: number;
  /**
   * Length of the bar in characters.
   *
   * @default {50}
   */
  barLength?: number;
  /**
   * The character of what is done.
   *
   * @default {'#'}
   */
  fillChar?: string;
  /**
   * The character of what is left.
   *
   * @default {'-'}
   */
  emptyChar?: string;
  /**
   * Whether the bar vanishes at the end.
   *
   * @default {false}
   */
  clear?: boolean;
  /** What a line looks like; by default `[mm:ss] [###-------] [0.24/97.6 KiB]`. */
  formatter?: (formatter: ProgressBarFormatter) => string;
  /**
   * Whether `writable` stays open at the end.
   *
   * @default {true}
   */
  keepOpen?: boolean;
  /**
   * Milliseconds between two drawings.
   *
   * @default {1000}
   */
  interval?: number;
}

const CLEAR_LINE = "\r\x1b[K";

/** Draws itself again and again until it is stopped; set `value` to move it. */
export class ProgressBar {
  /** The value now. */
  value: number;
  /** The value at the end. */
  max: number;

  readonly #options: ProgressBarOptions;
  readonly #writer: WritableStreamDefaultWriter<string>;
  readonly #drained: Promise<void>;
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #startedAt = Date.now();
  #previousTime = 0;
  #previousValue: number;

  /** Draws the bar for the first time; `stop` must end it. */
  constructor(options: ProgressBarOptions) {
    const { writable = Deno.stderr.writable, value = 0, max, keepOpen = true, interval = 1000 } =
      options;
    this.#options = options;
    this.value = value;
    this.max = max;
    this.#previousValue = value;
    const encoder = new TextEncoderStream();
    this.#writer = encoder.writable.getWriter();
    this.#timer = setInterval(() => this.#draw(), interval);
    this.#drained = encoder.readable.pipeTo(writable, { preventClose: keepOpen })
      .catch(() => clearInterval(this.#timer)); // nobody is left to draw for
    this.#draw();
  }

  /** Draws the bar for the last time, or removes it. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    if (this.#options.clear) this.#write(CLEAR_LINE);
    else {
      this.#draw();
      this.#write("\n");
    }
    await this.#writer.close().catch(() => {}); // the other end is gone: nothing to finish
    await this.#drained;
  }

  #draw(): void {
    const { formatter = lineOf } = this.#options;
    const state = this.#state();
    this.#previousTime = state.time;
    this.#previousValue = state.value;
    this.#write(CLEAR_LINE + formatter(state));
  }

  #write(text: string): void {
    this.#writer.write(text).catch(() => {}); // a bar is not worth an error
  }

  #state(): ProgressBarFormatter {
    const { value, max } = this;
    const { barLength = 50, fillChar = "#", emptyChar = "-" } = this.#options;
    const time = Date.now() - this.#startedAt;
    const filled = Math.trunc(Math.min(Math.max(value / max, 0), 1) * barLength);
    return {
      styledTime: `${twoDigits(time / 60_000)}:${twoDigits(time / 1000 % 60)}`,
      styledData: fractionOf(value, max),
      progressBar: fillChar.repeat(filled) + emptyChar.repeat(barLength - filled),
      time,
      previousTime: this.#previousTime,
      value,
      previousValue: this.#previousValue,
      max,
    };
  }
}

function lineOf({ styledTime, progressBar, styledData }: ProgressBarFormatter): string {
  return `[${styledTime}] [${progressBar}] [${styledData}]`;
}

function twoDigits(value: number): string {
  return String(Math.trunc(value)).padStart(2, "0");
}

function fractionOf(value: number, max: number): string {
  const units = ["KiB", "MiB", "GiB", "TiB"];
  const power = Math.min(Math.max(Math.floor(Math.log2(max) / 10), 1), units.length);
  const inUnit = (bytes: number) => (bytes / 1024 ** power).toFixed(2);
  return `${inUnit(value)}/${inUnit(max)} ${units[power - 1]}`;
}
