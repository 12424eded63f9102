/**
 * Numbers as ratios, tables and plots.
 *
 * @module
 */

/** One bar of a plot. */
export interface Bar {
  /** What it stands for. */
  label: string;
  /** Its length, from 0. */
  value: number;
}

/** The bars that are compared with each other. */
export interface BarGroup {
  /** What was measured. */
  title: string;
  /** One bar for each that was measured. */
  bars: Bar[];
}

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

/** Bars of text, the longest of each group `width` characters long. */
export function plot(groups: readonly BarGroup[], width = 40): string {
  const labels = groups.flatMap(({ bars }) => bars.map(({ label }) => label.length));
  const labelWidth = Math.max(0, ...labels);
  return groups.map(({ title, bars }) =>
    [
      title,
      ...bars.map(({ label, value }) => {
        const bar = "█".repeat(Math.round(shareOf(value, bars) * width));
        return `  ${label.padEnd(labelWidth)} ${bar} ${short(value)}`;
      }),
    ].join("\n")
  ).join("\n");
}

const ROW = 18;
const LABELS = 110;
const BARS = 400;

/** The same bars as an SVG picture. */
export function svg(title: string, groups: readonly BarGroup[]): string {
  const parts: string[] = [];
  let y = 2 * ROW;
  const text = (x: number, words: string, style = "") =>
    parts.push(`<text x="${x}" y="${y + ROW - 5}"${style}>${escapeXml(words)}</text>`);
  for (const group of groups) {
    y += ROW / 2;
    text(8, group.title, ' font-weight="bold"');
    y += ROW;
    for (const { label, value } of group.bars) {
      const width = Math.round(shareOf(value, group.bars) * BARS);
      const place = `x="${LABELS}" y="${y + 2}" width="${width}" height="${ROW - 4}"`;
      parts.push(`<rect ${place} fill="steelblue"/>`);
      text(16, label);
      text(LABELS + width + 6, short(value));
      y += ROW;
    }
  }
  const size = `width="${LABELS + BARS + 70}" height="${y + ROW}"`;
  const head = `<text x="8" y="${ROW}" font-weight="bold">${escapeXml(title)}</text>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} font-family="sans-serif" font-size="12">
<rect width="100%" height="100%" fill="white"/>
${[head, ...parts].join("\n")}
</svg>
`;
}

/** How long a bar is, as a share of the longest of its group. */
function shareOf(value: number, bars: readonly Bar[]): number {
  const longest = Math.max(...bars.map((bar) => bar.value).filter(Number.isFinite));
  return value > 0 && longest > 0 ? value / longest : 0;
}

function escapeXml(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
