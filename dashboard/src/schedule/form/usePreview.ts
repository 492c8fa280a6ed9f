/** What the brain says of a draft while it is typed. The rule: the last draft asked is the one shown, old answers dim. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState } from "react";
import { previewSchedule } from "../../api/scheduleQueries";
import type { Outage, SchedulePreview } from "../../api/types";
import { bodyOf, type Draft, type Fault, localFaults, viewerZone } from "./draft";
import { faultsOf } from "./faults";

const TYPING_MS = 250;
const SHOWN = 10;
const MOST = 50;

function useSettled<T>(value: T, ms: number): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return settled;
}

/** Members beside the definition: who looks, how far, through which outage. */
export function asked(id: string | null, n: number, outage: Outage | null): Record<string, string> {
  return {
    viewer_tz: JSON.stringify(viewerZone()),
    n: String(n),
    ...(id ? { id: JSON.stringify(id) } : {}),
    ...(outage ? { outage: JSON.stringify(outage) } : {}),
  };
}

export function usePreview(project: string, draft: Draft, id: string | null, outageMs: number) {
  const local = useMemo(() => localFaults(draft), [draft]);
  const settled = useSettled(draft, TYPING_MS);
  const body = useMemo(() => bodyOf(settled, asked(id, SHOWN, null)), [settled, id]);
  const options = (json: string) => ({
    queryKey: [project, "preview schedule", json],
    queryFn: ({ signal }: { signal: AbortSignal }) => previewSchedule(project, json, signal),
    enabled: local.length === 0,
    placeholderData: keepPreviousData,
    retry: false,
    gcTime: 30_000,
    staleTime: 5000,
  });
  const main = useQuery(options(body));
  const first = main.isPlaceholderData ? undefined : main.data?.next[0]?.slot_ms;
  const outage = useMemo(
    () =>
      first === undefined || outageMs === 0
        ? null
        : { from_ms: first - outageMs / 20, to_ms: first - outageMs / 20 + outageMs },
    [first, outageMs],
  );
  const through = useMemo(() => bodyOf(settled, asked(id, MOST, outage)), [settled, id, outage]);
  const side = useQuery({
    ...options(through),
    enabled: local.length === 0 && outage !== null && !main.error,
  });
  // A draft that cannot be read leaves the last one that could on the page.
  const kept = useRef<SchedulePreview | undefined>(undefined);
  if (main.data) kept.current = main.data;
  const faults: Fault[] = local.length > 0 ? local : faultsOf(main.error);
  return {
    preview: main.data ?? kept.current,
    draft: settled,
    isOld: main.isPlaceholderData || main.isError,
    error: main.error && faults.length === 0 ? main.error : null,
    faults,
    outage,
    catchup: outage ? (side.data?.catchup ?? null) : null,
    slots: side.data?.next.map((slot) => slot.slot_ms) ?? [],
  };
}
