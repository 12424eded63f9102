/**
 * Numbers as ratios and tables, and as flags.
 *
 * @module
 */

/** The middle value, or the mean of the two in the middle; `NaN` without values. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The smallest value that is not below `share` (0 to 1) of all values; `NaN` without values. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? NaN;
}

/**
 * The median of the ratios of one round each: what disturbs a whole round disturbs both sides alike.
 *
 * Rounds that one of the two did not finish (`undefined`) do not count.
 */
export function medianRatio(
  values: readonly (number | undefined)[],
  base: readonly (number | undefined)[],
): number {
  const ratios = values.map((value, round) => value! / base[round]!);
  return median(ratios.filter(Number.isFinite));
}

/** A number with the digits that count, as `1.23M`, `45.6k`, `0.12`; `-` for none. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return "-";
  const units = [[1e9, "G"], [1e6, "M"], [1e3, "k"]] as const;
  const [size, unit] = units.find(([size]) => Math.abs(value) >= size) ?? [1, ""];
  return `${digits(value / size)}${unit}`;
}

function digits(value: number): string {
  if (Math.abs(value) < 0.995) return value === 0 ? "0" : value.toPrecision(2);
  return value.toFixed(Math.max(0, 3 - Math.trunc(Math.abs(value)).toString().length));
}

/** A Markdown table. The first row is its head; every column but the first is aligned to the right. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) =>
    Math.max(3, ...rows.map((row) => row[column]!.length))
  );
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, column) => pad(cell, widths[column]!, column)).join(" | ")} |`;
  const rule = widths.map((width, column) => "-".repeat(width - 1) + (column === 0 ? "-" : ":"));
  return [line(rows[0]!), line(rule), ...rows.slice(1).map(line)].join("\n");
}

function pad(cell: string, width: number, column: number): string {
  return column === 0 ? cell.padEnd(width) : cell.padStart(width);
}

/** Makes the check of a flag whose value is a number, whole or not. */
export function numberFrom(least: number, most: number): (text: string) => void {
  return (text) => {
    const value = /^\d*\.?\d+$/.test(text) ? Number(text) : NaN;
    if (!(value >= least && value <= most)) {
      throw new RangeError(`Not such a number: give a number from ${least} to ${most}`);
    }
  };
}
