/** uPlot's options for our charts. The rule: everything that changes with the data is read from `now()` at drawing time. */
import uPlot from "uplot";
import { lonely, rangeOf, slotsAround, TICKS, tickWords } from "./buckets";
import { bars, dotted, hatch, token } from "./draw";

export type Line = {
  label: string;
  token: string;
  values: (number | null)[];
  /** What the legend says where it differs from what is drawn. */
  said?: (number | null)[];
  scale: "n" | "pct" | "us";
  form: (value: number) => string;
  kind: "area" | "line" | "bars";
};
export type ChartData = {
  /** Where each bucket begins, or the instant of each sample (ms). */
  at: number[];
  lines: Line[];
  /** Length of a bucket (ms); absent for samples. */
  stepMs?: number;
  /** The range asked for (ms). */
  span?: [from: number, to: number];
};
type Setup = {
  now: () => ChartData;
  width: number;
  height: number;
  hasTimes: boolean;
  onHover: (index: number | null) => void;
  onRange: (fromMs: number, toMs: number) => void;
};

const FAINT = 0x24;

function faint(colour: string): string {
  return /^#[0-9a-f]{6}$/i.test(colour) ? `${colour}${FAINT.toString(16)}` : colour;
}

/** The last bucket ends after the range does: it is still filling. */
export function isFilling({ at, stepMs, span }: ChartData): boolean {
  const last = at.at(-1);
  return (
    last !== undefined && stepMs !== undefined && span !== undefined && last + stepMs > span[1]
  );
}

export function aligned(data: ChartData): uPlot.AlignedData {
  const { at, lines, stepMs = 0 } = data;
  const end = isFilling(data) ? at.length - 1 : at.length;
  const columns = lines.map((line) =>
    line.kind === "bars" ? line.values : line.values.map((value, n) => (n < end ? value : null)),
  );
  return [at.map((ms) => (ms + stepMs / 2) / 1000), ...columns];
}

function seriesOf(line: Line, index: number, now: Setup["now"]): uPlot.Series {
  const colour = token(line.token);
  const isBars = line.kind === "bars";
  const fill = line.kind === "area" ? faint(colour) : undefined;
  const filter = (plot: uPlot) => lonely(Array.from(plot.data[index + 1] ?? []));
  return {
    label: line.label,
    scale: line.scale,
    stroke: isBars ? undefined : colour,
    fill: isBars ? colour : fill,
    width: isBars ? 0 : 1.5,
    spanGaps: false,
    paths: isBars ? bars(() => (now().stepMs ?? 0) / 1000) : undefined,
    points: isBars ? { show: false } : { show: true, filter, size: 5, fill: colour, width: 0 },
  };
}

function valueAxis(line: Line, side: 1 | 3): uPlot.Axis {
  return {
    scale: line.scale,
    side,
    stroke: token("--z-ink-3"),
    size: 56,
    space: 34,
    grid: { show: side === 3, stroke: token("--z-line"), width: 1 },
    ticks: { show: false },
    font: `11px ${token("--z-font")}`,
    incrs:
      line.scale === "n"
        ? [1, 2, 5, 10, 20, 50, 1e2, 2e2, 5e2, 1e3, 2e3, 5e3, 1e4, 1e5, 1e6]
        : undefined,
    values: (_, splits) => splits.map((value) => (value === null ? "" : line.form(value))),
  };
}

function timeAxis(isShown: boolean): uPlot.Axis {
  return {
    show: isShown,
    stroke: token("--z-ink-3"),
    grid: { show: false },
    ticks: { show: false },
    size: 28,
    gap: 8,
    font: `11px ${token("--z-font")}`,
    space: 70,
    incrs: TICKS,
    values: (_, splits, __, ___, distance) => tickWords(splits, distance),
  };
}

function drawFilling(plot: uPlot, data: ChartData): void {
  if (!isFilling(data)) return;
  for (const line of data.lines) {
    if (line.kind !== "bars") dotted(plot, line.scale, token(line.token), line.values);
  }
  const tallest = data.lines.filter((line) => line.kind === "bars");
  const top = Math.max(0, ...tallest.map((line) => line.values.at(-1) ?? 0));
  if (top > 0 && tallest[0]) hatch(plot, tallest[0].scale, top, (data.stepMs ?? 0) / 1000);
}

function spanOf({ at, span, stepMs }: ChartData, low: number, high: number): [number, number] {
  if (!span) {
    const isPoint = at.length < 2;
    return isPoint ? [low - 300, high + 300] : [low, high];
  }
  const [from, to] = stepMs ? slotsAround(span[0], span[1], stepMs) : span;
  return [from / 1000, to / 1000];
}

function choose(plot: uPlot, onRange: Setup["onRange"]): void {
  const { left, width } = plot.select;
  if (width < 4) return;
  onRange(
    Math.round(plot.posToVal(left, "x") * 1000),
    Math.round(plot.posToVal(left + width, "x") * 1000),
  );
}

export function optionsOf(setup: Setup): uPlot.Options {
  const { now, width, height, hasTimes, onHover, onRange } = setup;
  const { lines } = now();
  const left = lines[0];
  const right = lines.find((line) => line.scale !== left?.scale);
  const axes = [timeAxis(hasTimes)];
  if (left) axes.push(valueAxis(left, 3));
  if (right) axes.push(valueAxis(right, 1));
  return {
    width,
    height,
    padding: [8, right ? 0 : 56, hasTimes ? 0 : 4, 0],
    legend: { show: false },
    scales: {
      x: { time: true, range: (_, low, high) => spanOf(now(), low, high) },
      n: { range: () => rangeOf(now().lines, "n") },
      pct: { range: () => rangeOf(now().lines, "pct") },
      us: { range: () => rangeOf(now().lines, "us") },
    },
    axes,
    series: [{}, ...lines.map((line, index) => seriesOf(line, index, now))],
    cursor: { y: false, drag: { x: true, y: false, setScale: false }, sync: { key: "z4j" } },
    hooks: {
      setCursor: [(plot) => onHover(plot.cursor.idx ?? null)],
      setSelect: [(plot) => choose(plot, onRange)],
      draw: [(plot) => drawFilling(plot, now())],
    },
  };
}

export function draw(setup: Setup, node: HTMLElement): uPlot {
  return new uPlot(optionsOf(setup), aligned(setup.now()), node);
}
