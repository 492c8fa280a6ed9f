/** What a reader should notice about a slot. The rule: every change of a clock between two slots is said, in whichever zone. */
import type { NextSlot } from "../api/types";

const NOTES: Record<string, string> = {
  gap: "the clock skips its time: it fires right after",
  shift: "the clock skips its time: it fires later by as much",
  fold: "the clock shows this time twice",
  fold1: "the clock shows this time twice: this is the first",
  fold2: "the clock shows this time twice: this is the second",
  calendar: "moved off a day off",
};

/** Milliseconds that a wall text is ahead of UTC. */
export function offsetMs(local: string, at: number): number {
  return Date.parse(`${local.slice(0, 19).replace(" ", "T")}Z`) - Math.floor(at / 1000) * 1000;
}

/** `UTC−5`, `UTC+05:30`. */
export function offsetText(ms: number): string {
  const minutes = Math.round(Math.abs(ms) / 60_000);
  const rest = minutes % 60;
  const hours = Math.floor(minutes / 60);
  const sign = ms < 0 ? "−" : "+";
  if (minutes === 0) return "UTC";
  return rest === 0
    ? `UTC${sign}${hours}`
    : `UTC${sign}${String(hours).padStart(2, "0")}:${String(rest).padStart(2, "0")}`;
}

function changed(now: number, before: number, zone: string): string {
  const way = now > before ? "forward" : "back";
  return `clocks went ${way} in ${zone}: ${offsetText(now)} from here`;
}

/** The marks of each slot, in words. */
export function marksOf(slots: NextSlot[], viewerZone: string): string[][] {
  return slots.map((slot, at) => {
    const marks: string[] = [];
    const note = slot.note || (slot.fold > 0 ? "fold2" : "");
    if (note) marks.push(NOTES[note] ?? note);
    const before = slots[at - 1];
    if (!before) return marks;
    if (before.tz === slot.tz) {
      const now = offsetMs(slot.local, slot.slot_ms);
      const then = offsetMs(before.local, before.slot_ms);
      if (now !== then) marks.push(changed(now, then, slot.tz));
    }
    if (viewerZone !== slot.tz) {
      const now = offsetMs(slot.viewer_local, slot.slot_ms);
      const then = offsetMs(before.viewer_local, before.slot_ms);
      if (now !== then) marks.push(changed(now, then, viewerZone));
    }
    return marks;
  });
}

const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

/** A wall text as people read it: `Sun 2026-11-01 01:30`; seconds only where there are some. */
export function wallText(local: string): string {
  const [date = "", time = ""] = local.slice(0, 19).split(/[T ]/);
  const day = DAYS[new Date(`${date}T00:00:00Z`).getUTCDay()] ?? "";
  return `${day} ${date} ${time.endsWith(":00") ? time.slice(0, 5) : time}`;
}
