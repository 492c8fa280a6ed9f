/** The rules of a schedule in sentences. The rule: each sentence names what happens, not the name of a setting. */
import type { DefinitionDoc } from "../api/types";

export type Line = { label: string; text: string };

/** Seconds as people say them: `90 s`, `15 min`, `1 h 30 min`, `2 d`. */
export function span(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  const parts: string[] = [];
  const units: [size: number, name: string][] = [
    [86_400, "d"],
    [3600, "h"],
    [60, "min"],
    [1, "s"],
  ];
  let rest = seconds;
  for (const [size, name] of units) {
    const n = Math.floor(rest / size);
    rest -= n * size;
    if (n > 0) parts.push(`${n} ${name}`);
  }
  return parts.join(" ");
}

type Rules = Omit<DefinitionDoc, "args" | "kwargs" | "headers" | "options">;

function catchupWords(doc: Rules): string {
  const window = span(doc.catchup_window_s);
  if (doc.catchup === "skip") return "Slots missed in an outage are not made up for.";
  if (doc.catchup === "fire_all") {
    return `After an outage all slots of the last ${window} fire, oldest first, the newest ${doc.catchup_max} at most.`;
  }
  return `After an outage the ${doc.catchup_pick} slot of the last ${window} fires, once.`;
}

function overlapWords(doc: Rules): string {
  const busy = doc.max_running === 1 ? "the one before has" : `${doc.max_running} have`;
  const after = `An end that nobody reports is assumed after ${span(doc.overlap_timeout_s)}.`;
  switch (doc.overlap) {
    case "skip":
      return `While ${busy} not ended, a new fire is skipped. ${after}`;
    case "buffer_one":
      return `While ${busy} not ended, the newest fire waits. ${after}`;
    case "buffer_all":
      return `While ${busy} not ended, fires wait in order. ${after}`;
    case "cancel_other":
      return `A new fire cancels the task that has not ended. ${after}`;
    case "terminate_other":
      return `A new fire terminates the task that has not ended. ${after}`;
    default:
      return "Fires do not wait for each other.";
  }
}

export function policyLines(doc: Rules): Line[] {
  const lines: Line[] = [
    {
      label: "lateness",
      text: `A fire up to ${span(doc.grace_s)} late still counts as on time; later it is missed.`,
    },
    { label: "catch-up", text: catchupWords(doc) },
    { label: "overlap", text: overlapWords(doc) },
  ];
  if (doc.pause_after_failures !== null) {
    const n = doc.pause_after_failures;
    lines.push({
      label: "failures",
      text:
        n === 1
          ? "It pauses itself after a failure."
          : `It pauses itself after ${n} failures in a row.`,
    });
  }
  if (doc.require_last_success) {
    lines.push({
      label: "dependency",
      text: "A slot is skipped unless the fire before it has succeeded.",
    });
  }
  lines.push({
    label: "delivery",
    text:
      doc.delivery === "at_most_once"
        ? "A fire that may have been sent is never sent again."
        : `A fire that may not have been sent is sent again under the same id, up to ${doc.dispatch.max_tries} times in ${span(doc.dispatch.max_age_s)}.`,
  });
  if (doc.expires_after_s !== null) {
    lines.push({
      label: "expiry",
      text: `A task that has not started ${span(doc.expires_after_s)} after its slot is dropped.`,
    });
  }
  if (doc.jitter_s > 0) {
    lines.push({
      label: "jitter",
      text: `Each fire is up to ${span(doc.jitter_s)} later than its slot${doc.jitter_mode === "fixed" ? ", always by the same amount" : ""}.`,
    });
  }
  if (doc.max_fires !== null) {
    lines.push({ label: "limit", text: `It ends after ${doc.max_fires} fires.` });
  }
  return lines;
}
