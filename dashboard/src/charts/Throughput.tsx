/** What ended over time, and how well: two charts over one axis. */
import { useMemo } from "react";
import type { Series } from "../api/types";
import { useUrl } from "../shell/search";
import { LazyChart } from "./LazyChart";
import { linesOf } from "./lines";

export function Throughput({ data }: { data: Series }) {
  const { set } = useUrl();
  const { at, counts, quality } = useMemo(() => linesOf(data), [data]);
  const shared = {
    at,
    stepMs: data.step_ms,
    span: [data.from_at, data.to_at] as [number, number],
    onRange: (from: number, to: number) => set({ range: `${from}..${to}` }),
  };
  return (
    <>
      <LazyChart
        {...shared}
        lines={counts}
        height={136}
        hasTimes={false}
        label="tasks ended over time"
      />
      <LazyChart
        {...shared}
        lines={quality}
        height={134}
        hasWhen={false}
        label="failure share and p95 over time"
      />
    </>
  );
}
