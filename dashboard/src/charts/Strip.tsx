/** Histogram of a range, stacked by state; a drag chooses a narrower range. */
import { type PointerEvent, useMemo, useRef, useState } from "react";
import type { Bucket, Histogram, TaskState } from "../api/types";
import { clock, count, moment } from "../ui/format";
import css from "./charts.module.css";

const ORDER: TaskState[] = [
  "succeeded",
  "cancelled",
  "expired",
  "unknown",
  "queued",
  "scheduled",
  "running",
  "retrying",
  "lost",
  "failed",
];
const LOUD = new Set<TaskState>(["failed", "lost"]);
const HEIGHT = 100;
const SLIVER = 6;

type Path = { state: TaskState; d: string };

function totalOf(bucket: Bucket): number {
  return Object.values(bucket.counts).reduce((sum, n) => sum + (n ?? 0), 0);
}

/** Heights bottom to top; the quiet states give way so that a loud one keeps its sliver. */
function sizesOf(bucket: Bucket, top: number): [TaskState, number][] {
  const sizes = ORDER.flatMap((state): [TaskState, number][] => {
    const size = ((bucket.counts[state] ?? 0) / top) * HEIGHT;
    return size > 0 ? [[state, LOUD.has(state) ? Math.max(size, SLIVER) : size]] : [];
  });
  const over = sizes.reduce((sum, [, size]) => sum + size, 0) - HEIGHT;
  const quiet = sizes.reduce((sum, [state, size]) => sum + (LOUD.has(state) ? 0 : size), 0);
  if (over <= 0 || quiet === 0) return sizes;
  return sizes.map(([state, size]) => [state, LOUD.has(state) ? size : size * (1 - over / quiet)]);
}

/** One path per state; a lone failure among thousands keeps a visible sliver. */
export function stack(buckets: Bucket[], slots: number): Path[] {
  const top = Math.max(1, ...buckets.map(totalOf));
  const paths = new Map<TaskState, string>();
  for (const [at, bucket] of buckets.entries()) {
    const sizes = sizesOf(bucket, top);
    let base = HEIGHT;
    for (const [state, size] of sizes) {
      const y = Math.max(0, base - size);
      const bar = `M${at} ${base.toFixed(1)}V${y.toFixed(1)}h${slots > 150 ? 1 : 0.82}V${base.toFixed(1)}z`;
      paths.set(state, (paths.get(state) ?? "") + bar);
      base = y;
    }
  }
  return ORDER.flatMap((state) => {
    const d = paths.get(state);
    return d ? [{ state, d }] : [];
  });
}

function describe(bucket: Bucket, stepMs: number): string {
  const parts = ORDER.filter((state) => bucket.counts[state]).map(
    (state) => `${count(bucket.counts[state])} ${state}`,
  );
  const words = parts.length > 0 ? parts.reverse().join(", ") : "nothing";
  return `${moment(bucket.at)} to ${clock(bucket.at + stepMs)}: ${words}`;
}

type Props = { data: Histogram; onRange: (fromMs: number, toMs: number) => void };

export function Strip({ data, onRange }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [drag, setDrag] = useState<[number, number] | null>(null);
  const [over, setOver] = useState<number | null>(null);
  const slots = Math.max(1, Math.ceil((data.to_at - data.from_at) / data.step_ms));
  const buckets = useMemo(() => fill(data, slots), [data, slots]);
  const paths = useMemo(() => stack(buckets, slots), [buckets, slots]);
  const at = (event: PointerEvent) => {
    const edge = box.current?.getBoundingClientRect();
    if (!edge) return 0;
    return Math.min(1, Math.max(0, (event.clientX - edge.left) / edge.width));
  };
  const timeOf = (share: number) => Math.round(data.from_at + share * (data.to_at - data.from_at));
  const hovered = over === null ? undefined : buckets[Math.floor(over * slots)];
  const finish = () => {
    if (drag && Math.abs(drag[1] - drag[0]) > 0.005) {
      onRange(timeOf(Math.min(...drag)), timeOf(Math.max(...drag)));
    }
    setDrag(null);
  };
  return (
    <div
      ref={box}
      className={css.strip}
      role="img"
      aria-label={`tasks over time, ${count(data.buckets.reduce((sum, one) => sum + totalOf(one), 0))} in all; drag to choose a range`}
      title={hovered ? describe(hovered, data.step_ms) : undefined}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        setDrag([at(event), at(event)]);
      }}
      onPointerMove={(event) => {
        setOver(at(event));
        if (drag) setDrag([drag[0], at(event)]);
      }}
      onPointerUp={finish}
      onPointerLeave={() => setOver(null)}
    >
      <svg viewBox={`0 0 ${slots} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
        {paths.map((path) => (
          <path key={path.state} d={path.d} data-state={path.state} />
        ))}
      </svg>
      {drag && (
        <div
          className={css.drag}
          style={{
            left: `${Math.min(...drag) * 100}%`,
            width: `${Math.abs(drag[1] - drag[0]) * 100}%`,
          }}
        />
      )}
    </div>
  );
}

/** One bucket per step, so that a place on the strip is an instant; gaps stay empty. */
function fill(data: Histogram, slots: number): Bucket[] {
  const known = new Map(
    data.buckets.map((bucket) => [Math.floor((bucket.at - data.from_at) / data.step_ms), bucket]),
  );
  return Array.from(
    { length: slots },
    (_, slot) => known.get(slot) ?? { at: data.from_at + slot * data.step_ms, counts: {} },
  );
}
