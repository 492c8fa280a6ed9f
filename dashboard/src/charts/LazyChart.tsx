/** The chart's own chunk, with its height kept while it loads. */
import { type ComponentProps, lazy, Suspense } from "react";
import type { TimeChart } from "./TimeChart";

const Chart = lazy(() => import("./TimeChart").then((module) => ({ default: module.TimeChart })));

export function LazyChart(props: ComponentProps<typeof TimeChart>) {
  return (
    <Suspense fallback={<div style={{ height: (props.height ?? 190) + 24 }} />}>
      <Chart {...props} />
    </Suspense>
  );
}
