/** What uPlot has no path for. The rule: a bar is as wide as its slot allows, what still fills is hatched or dotted. */
import type uPlot from "uplot";

const SHARE = 0.8;
const WIDEST_PX = 36;

export function token(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** Left edge and width (canvas px) of the bar around the instant `x` (s). */
function barAt(plot: uPlot, x: number, stepS: number): [left: number, width: number] {
  const ratio = devicePixelRatio;
  const slot = plot.valToPos(x + stepS / 2, "x", true) - plot.valToPos(x - stepS / 2, "x", true);
  const width = Math.max(1, Math.min(Math.round(slot * SHARE), WIDEST_PX * ratio));
  return [Math.round(plot.valToPos(x, "x", true) - width / 2), width];
}

/** Bars of one fixed width. */
export function bars(stepS: () => number): uPlot.Series.PathBuilder {
  return (plot, series, first, last) => {
    const fill = new Path2D();
    const scale = plot.series[series]?.scale ?? "y";
    const base = Math.round(plot.valToPos(0, scale, true));
    for (let at = first; at <= last; at += 1) {
      const value = plot.data[series]?.[at];
      if (!value) continue;
      const [left, width] = barAt(plot, plot.data[0][at] ?? 0, stepS());
      const top = Math.min(base - 1, Math.round(plot.valToPos(value, scale, true)));
      fill.rect(left, top, width, base - top);
    }
    return { fill, stroke: null, flags: 0 };
  };
}

/** Lines of the surface's own colour across the last bar. */
export function hatch(plot: uPlot, scale: string, value: number, stepS: number): void {
  const { ctx } = plot;
  const x = plot.data[0].at(-1) ?? 0;
  const [left, width] = barAt(plot, x, stepS);
  const top = plot.valToPos(value, scale, true);
  const base = plot.valToPos(0, scale, true);
  const gap = 5 * devicePixelRatio;
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, top, width, base - top);
  ctx.clip();
  ctx.strokeStyle = token("--z-card");
  ctx.lineWidth = 2 * devicePixelRatio;
  ctx.beginPath();
  for (let y = top - width; y < base + width; y += gap) {
    ctx.moveTo(left, y + width);
    ctx.lineTo(left + width, y);
  }
  ctx.stroke();
  ctx.restore();
}

/** The dotted way from the last whole bucket to the one still filling, or its dot alone. */
export function dotted(
  plot: uPlot,
  scale: string,
  colour: string,
  values: readonly (number | null)[],
): void {
  const end = values.length - 1;
  const value = values[end];
  if (value === null || value === undefined) return;
  const { ctx } = plot;
  const place = (at: number, y: number): [number, number] => [
    plot.valToPos(plot.data[0][at] ?? 0, "x", true),
    plot.valToPos(y, scale, true),
  ];
  const before = values[end - 1];
  const [x, y] = place(end, value);
  ctx.save();
  ctx.strokeStyle = colour;
  ctx.fillStyle = colour;
  ctx.lineWidth = 1.5 * devicePixelRatio;
  if (before !== null && before !== undefined) {
    ctx.setLineDash([2 * devicePixelRatio, 3 * devicePixelRatio]);
    ctx.beginPath();
    ctx.moveTo(...place(end - 1, before));
    ctx.lineTo(x, y);
    ctx.stroke();
  }
  ctx.beginPath();
  ctx.arc(x, y, 2 * devicePixelRatio, 0, 2 * Math.PI);
  ctx.fill();
  ctx.restore();
}
