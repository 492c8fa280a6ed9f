/** The slots around the next change of the clocks, when the next ones do not reach it. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { previewSchedule } from "../api/scheduleQueries";
import type { NextSlot } from "../api/types";
import { nextChange } from "./clockChange";
import { wallText } from "./marks";
import { NextSlots } from "./NextSlots";
import css from "./schedule.module.css";

const HOUR_MS = 3_600_000;
const SIDE = 2;
const MOST = 50;

export type Around = { change: number; from: number; to: number };

/** The stretch of time to look at: two periods and an hour on each side, twenty slots at most. */
export function aroundOf(next: NextSlot[], change: number | null): Around | null {
  const first = next[0];
  const last = next.at(-1);
  if (change === null || !first || !last || last === first || change <= last.slot_ms) return null;
  const period = (last.slot_ms - first.slot_ms) / (next.length - 1);
  const side = Math.ceil(Math.min(SIDE * period + HOUR_MS, 20 * period));
  return { change, from: Math.max(first.slot_ms, change - side), to: change + side };
}

type Props = {
  project: string;
  next: NextSlot[];
  viewerZone: string;
  /** The body of a preview whose slots begin at an instant (ISO 8601). */
  bodyFrom: (start: string, n: number) => string;
};

export function AroundChange({ project, next, viewerZone, bodyFrom }: Props) {
  const first = next[0];
  const zone = first?.tz ?? "UTC";
  const from = first?.slot_ms ?? 0;
  const change = useMemo(() => (from === 0 ? null : nextChange(zone, from)), [zone, from]);
  const around = aroundOf(next, change);
  const start = around ? `${new Date(around.from - 1000).toISOString().slice(0, 19)}Z` : "";
  const json = around ? bodyFrom(start, MOST) : "";
  const { data } = useQuery({
    queryKey: [project, "preview schedule", json],
    queryFn: ({ signal }) => previewSchedule(project, json, signal),
    enabled: json !== "",
    retry: false,
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  });
  if (!around || !data) return null;
  const slots = shownOf(data.next, around);
  if (slots.length === 0) return null;
  const day = wallText(new Date(around.change).toISOString()).slice(0, 14);
  return (
    <>
      <h3 className={css.around}>
        when the clocks of {zone} change, {day}
      </h3>
      <NextSlots slots={slots} viewerZone={viewerZone} />
    </>
  );
}

/** Three slots on each side; all of the hour that the change skips or repeats. */
export function shownOf(slots: NextSlot[], { change, to }: Around): NextSlot[] {
  const near = slots.filter((slot) => slot.slot_ms <= to);
  const at = near.findIndex((slot) => slot.slot_ms >= change);
  if (at === -1) return near.slice(-SIDE);
  return near.slice(Math.max(0, at - 3), at + 4);
}
