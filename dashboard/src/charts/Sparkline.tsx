/** A small line without axes. The rule: gaps stay gaps, a single value is a dot, nothing at all is a baseline. */
import css from "./charts.module.css";

type Props = { values: (number | null)[]; width?: number; height?: number; label: string };

/** Path commands for `values`; null breaks the line. */
export function sparkPath(values: (number | null)[], width: number, height: number): string {
  const top = Math.max(1e-9, ...values.map((value) => value ?? 0));
  const step = values.length > 1 ? width / (values.length - 1) : 0;
  let isDown = false;
  let d = "";
  for (const [at, value] of values.entries()) {
    if (value === null) {
      isDown = false;
      continue;
    }
    const y = height - 1 - (value / top) * (height - 2);
    d += `${isDown ? "L" : "M"}${(at * step).toFixed(1)} ${y.toFixed(1)}`;
    isDown = true;
  }
  return d;
}

export function Sparkline({ values, width = 110, height = 20, label }: Props) {
  const known = values.filter((value) => value !== null);
  const d = sparkPath(values, width, height);
  const isFlat = known.every((value) => value === 0);
  const isWhole = known.length === values.length && values.length > 1;
  return (
    <svg
      className={css.spark}
      data-flat={isFlat || undefined}
      width={width}
      height={height}
      role="img"
      aria-label={label}
    >
      {known.length === 1 && <circle cx={width / 2} cy={height / 2} r="2" fill="currentColor" />}
      {isWhole && !isFlat && <path data-area d={`${d}L${width} ${height}L0 ${height}z`} />}
      {known.length > 1 && <path d={d} />}
    </svg>
  );
}
