/** Buckets on a time axis. The rule: one bucket is one slot of fixed width, and the one still filling is told apart. */
import { clock, day } from "../ui/format";

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;
const FEWEST_SLOTS = 15;

/** Distances between ticks (s): never below the minute, whose label would repeat. */
export const TICKS = [
  MINUTE,
  2 * MINUTE,
  5 * MINUTE,
  10 * MINUTE,
  15 * MINUTE,
  30 * MINUTE,
  HOUR,
  2 * HOUR,
  3 * HOUR,
  6 * HOUR,
  12 * HOUR,
  DAY,
  2 * DAY,
  7 * DAY,
  14 * DAY,
];

/** Whole slots around `[from, to]` (ms), at least a few so that a lone bucket is not a wall. */
export function slotsAround(from: number, to: number, stepMs: number): [number, number] {
  const last = Math.ceil(to / stepMs) * stepMs;
  const first = Math.floor(from / stepMs) * stepMs;
  return [Math.min(first, last - FEWEST_SLOTS * stepMs), last];
}

/** Words at the ticks (s): the day at midnight and where days are the step, else the minute. */
export function tickWords(splits: (number | null)[], distance: number): string[] {
  return splits.map((seconds) => {
    if (seconds === null) return "";
    const minute = clock(seconds * 1000).slice(0, 5);
    return distance >= DAY || minute === "00:00" ? day(seconds * 1000) : minute;
  });
}

/** The time of a bucket (ms) as words. */
export function bucketWords(at: number, stepMs: number, isFilling: boolean): string {
  const from = stepMs >= DAY * 1000 ? day(at) : clock(at).slice(0, 5);
  const to = stepMs >= DAY * 1000 ? "" : `–${clock(at + stepMs).slice(0, 5)}`;
  return `${from}${to}${isFilling ? ", so far" : ""}`;
}

/** Indexes of values without a neighbour: drawn as dots, a line cannot show them. */
export function lonely(values: readonly (number | null | undefined)[]): number[] {
  const isKnown = (at: number) => values[at] !== null && values[at] !== undefined;
  return values.flatMap((_, at) =>
    isKnown(at) && !isKnown(at - 1) && !isKnown(at + 1) ? [at] : [],
  );
}

type Scaled = { scale: string; values: (number | null)[] };

/** From zero to a little over the highest value of a scale, the bucket still filling included. */
export function rangeOf(lines: Scaled[], scale: string): [number, number] {
  const values = lines.filter((line) => line.scale === scale).flatMap((line) => line.values);
  const top = values.reduce<number>((most, value) => Math.max(most, value ?? 0), 0);
  return [0, top > 0 ? top * 1.08 : 1];
}
