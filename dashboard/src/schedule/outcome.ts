/** What became of a fire, in one word. The rule: ten statuses and ten task states make seven outcomes, each with its own shape. */
import type { FireStatus, FireTrigger, TaskState } from "../api/types";

export type Outcome =
  | "on time"
  | "late"
  | "failed"
  | "missed"
  | "skipped"
  | "duplicate suppressed"
  | "waiting";

export const OUTCOMES: Outcome[] = [
  "on time",
  "late",
  "failed",
  "missed",
  "skipped",
  "duplicate suppressed",
  "waiting",
];

const OF: Record<FireStatus, Outcome> = {
  claimed: "waiting",
  buffered: "waiting",
  sent: "on time",
  skipped: "skipped",
  missed: "missed",
  expired: "skipped",
  refused: "failed",
  failed: "failed",
  duplicate_suppressed: "duplicate suppressed",
};

type Known = { status: FireStatus; state?: TaskState | null; lag_ms?: number | null };

/** The outcome of a fire. `lag_ms` is how far behind its due time it was sent, late is more than `graceMs`. */
export function outcomeOf({ status, state, lag_ms }: Known, graceMs: number): Outcome {
  const found = OF[status] ?? "waiting";
  if (found !== "on time") return found;
  if (state === "failed" || state === "lost") return "failed";
  return (lag_ms ?? 0) > graceMs ? "late" : "on time";
}

const STATUS_WORDS: Record<FireStatus, string> = {
  claimed: "claimed, not yet sent",
  buffered: "waits for the one before",
  sent: "sent",
  skipped: "skipped",
  missed: "missed",
  expired: "too late, dropped",
  refused: "refused",
  failed: "could not be sent",
  duplicate_suppressed: "a second copy was suppressed",
};

export function statusWords(status: FireStatus): string {
  return STATUS_WORDS[status] ?? String(status);
}

const TRIGGER_WORDS: Record<FireTrigger, string> = {
  timer: "on schedule",
  manual: "by hand",
  catchup: "catch-up",
  backfill: "backfill",
  replay: "replay",
  on_start: "on start",
};

export function triggerWords(trigger: FireTrigger): string {
  return TRIGGER_WORDS[trigger] ?? String(trigger);
}
