/** How old the page is. The rule: always shown, and a click pauses or resumes. */
import { usePulse, useStream } from "../live/context";
import { type Pulse, staleness } from "../live/stream";
import { useNow } from "../ui/clock";
import { count, plural } from "../ui/format";
import css from "./shell.module.css";

const STALE_MS = 30_000;
const LATE_MS = 5000;

type Face = { tone: string; text: string };

export function faceOf(pulse: Pulse, nowMs: number): Face {
  if (pulse.status === "paused") {
    const changes = pulse.missed > 0 ? ` · ${plural(pulse.missed, "change")}` : "";
    return { tone: "paused", text: `paused${changes}` };
  }
  if (pulse.status === "offline") {
    const waitS = Math.max(1, Math.round((pulse.retryAt - nowMs) / 1000));
    return { tone: "bad", text: `offline · retry ${waitS} s` };
  }
  if (pulse.status === "connecting") return { tone: "wait", text: "connecting" };
  if (pulse.status === "hidden") return { tone: "paused", text: "asleep" };
  const ageMs = staleness(pulse, nowMs);
  if (ageMs > STALE_MS) return { tone: "bad", text: `stale ${Math.round(ageMs / 1000)} s` };
  const shown = ageMs < 9950 ? (ageMs / 1000).toFixed(1) : String(Math.round(ageMs / 1000));
  return { tone: ageMs > LATE_MS ? "late" : "live", text: `live · ${shown} s` };
}

function detailOf(pulse: Pulse): string {
  const worst = [...(pulse.lag?.agents ?? [])].sort((a, b) => b.age_ms - a.age_ms).slice(0, 5);
  const lines = worst.map((agent) => {
    const lost = agent.lost > 0 ? `, ${count(agent.lost)} events lost` : "";
    return `${agent.id}  ${(agent.age_ms / 1000).toFixed(1)} s${lost}`;
  });
  return ["click or . pauses", ...lines].join("\n");
}

export function LivePill() {
  const stream = useStream();
  const pulse = usePulse();
  // Silence is measured on this computer's own clock: the stream's last word is stamped here too.
  useNow();
  const face = faceOf(pulse, Date.now());
  const isPaused = pulse.status === "paused";
  return (
    <button
      type="button"
      className={css.pill}
      data-tone={face.tone}
      title={detailOf(pulse)}
      aria-pressed={isPaused}
      aria-label={`${face.text}, ${isPaused ? "resume" : "pause"}`}
      onClick={() => (isPaused ? stream.resume() : stream.pause())}
    >
      <span className={css.dot} />
      {face.text}
    </button>
  );
}
