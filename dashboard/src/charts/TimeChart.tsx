/** A time series on one axis, drawn by uPlot. The rule: new data moves the drawing that is there, a drag chooses the range. */
import { useEffect, useRef, useState } from "react";
import type uPlot from "uplot";
import { moment } from "../ui/format";
import { bucketWords } from "./buckets";
import { aligned, type ChartData, draw, isFilling } from "./plot";
import css from "./timechart.module.css";
import "./uplot.css";

export type { Line } from "./plot";

type Props = ChartData & {
  height?: number;
  /** False where the chart below carries the times of both. */
  hasTimes?: boolean;
  /** False where the chart above says which bucket both show. */
  hasWhen?: boolean;
  label: string;
  onRange?: (fromMs: number, toMs: number) => void;
};

function useWidth(box: React.RefObject<HTMLDivElement | null>): number {
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const node = box.current;
    if (!node) return undefined;
    const observer = new ResizeObserver(() => setWidth(node.clientWidth));
    observer.observe(node);
    return () => observer.disconnect();
  }, [box]);
  return width;
}

function useThemeCount(): number {
  const [n, setN] = useState(0);
  useEffect(() => {
    const changed = () => setN((old) => old + 1);
    addEventListener("z4j:theme", changed);
    return () => removeEventListener("z4j:theme", changed);
  }, []);
  return n;
}

function whenOf(data: ChartData, index: number): string {
  const at = data.at[index];
  if (at === undefined) return "";
  if (data.stepMs === undefined) return moment(at);
  return bucketWords(at, data.stepMs, isFilling(data) && index === data.at.length - 1);
}

function Legend({ data, index }: { data: Props; index: number }) {
  return (
    <figcaption className={css.legend}>
      {data.lines.map((line) => {
        const value = (line.said ?? line.values)[index];
        return (
          <span key={line.label}>
            <i style={{ background: `var(${line.token})` }} />
            {line.label} <b>{value === null || value === undefined ? "—" : line.form(value)}</b>
          </span>
        );
      })}
      {data.hasWhen !== false && <span className={css.when}>{whenOf(data, index)}</span>}
    </figcaption>
  );
}

export function TimeChart(props: Props) {
  const { at, lines, label, height = 190, hasTimes = true } = props;
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(null);
  const [hovered, setHovered] = useState<number | null>(null);
  const width = useWidth(box);
  const theme = useThemeCount();
  const latest = useRef(props);
  latest.current = props;
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new theme needs new colours
  useEffect(() => {
    const node = box.current;
    if (!node || width === 0) return undefined;
    const setup = {
      now: () => latest.current,
      width,
      height,
      hasTimes,
      onHover: setHovered,
      onRange: (from: number, to: number) => latest.current.onRange?.(from, to),
    };
    const made = draw(setup, node);
    plot.current = made;
    return () => {
      plot.current = null;
      made.destroy();
    };
  }, [width, height, hasTimes, theme, lines.length]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: both arrays are new when any value is
  useEffect(() => plot.current?.setData(aligned(latest.current)), [at, lines]);
  const index = hovered === null || hovered >= at.length ? at.length - 1 : hovered;
  return (
    <figure className={css.figure} aria-label={label}>
      <Legend data={props} index={index} />
      <div ref={box} style={{ height }} />
    </figure>
  );
}
