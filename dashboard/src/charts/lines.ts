/** The series of tasks over time as chart lines. */
import type { Point, Series } from "../api/types";
import { count, duration, percent } from "../ui/format";
import type { Line } from "./plot";

const NOTHING = {
  succeeded: null,
  failed: null,
  cancelled: null,
  retried: null,
  fail_pct: null,
  p95_took_us: null,
};

export type Chart = { at: number[]; counts: Line[]; quality: Line[] };

/** A point for every bucket between the first and the last; where none was sent, a gap. */
function whole({ series, step_ms }: Series): Point[] {
  return series.flatMap((point, index) => {
    const before = series[index - 1]?.at ?? point.at - step_ms;
    const missing = Math.min(400, Math.round((point.at - before) / step_ms) - 1);
    const gap = Array.from({ length: Math.max(0, missing) }, (_, n) => ({
      ...NOTHING,
      at: before + (n + 1) * step_ms,
    }));
    return [...gap, point];
  });
}

export function linesOf(data: Series): Chart {
  const series = whole(data);
  const at = series.map((point) => point.at);
  const total = series.map((p) =>
    p.succeeded === null ? null : p.succeeded + (p.failed ?? 0) + (p.cancelled ?? 0),
  );
  const counts: Line[] = [
    {
      label: "succeeded",
      token: "--z-bar-succeeded",
      values: total,
      said: series.map((p) => p.succeeded),
      scale: "n",
      form: count,
      kind: "bars",
    },
    {
      label: "failed",
      token: "--z-state-failed",
      values: series.map((p) => p.failed),
      scale: "n",
      form: count,
      kind: "bars",
    },
  ];
  const quality: Line[] = [
    {
      label: "fail",
      token: "--z-state-failed",
      values: series.map((p) => p.fail_pct),
      scale: "pct",
      form: percent,
      kind: "line",
    },
    {
      label: "p95 took",
      token: "--z-accent",
      values: series.map((p) => p.p95_took_us),
      scale: "us",
      form: duration,
      kind: "line",
    },
  ];
  return { at, counts, quality };
}
