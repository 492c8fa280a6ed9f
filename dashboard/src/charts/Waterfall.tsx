/** One lane per attempt: queued, received, started, end, and the gap before the next. */
import type { Attempt } from "../api/types";
import { useNow } from "../ui/clock";
import { plain } from "../ui/escape";
import { absolute, duration } from "../ui/format";
import css from "./charts.module.css";

export type Bar = { phase: "queued" | "received" | "run" | "gap"; from: number; to: number };

/** The phases of an attempt in order; unknown instants leave no bar. */
export function barsOf(attempt: Attempt, nowMs: number): Bar[] {
  const bars: Bar[] = [];
  const { queued_at, received_at, started_at, finished_at, next_at } = attempt;
  const add = (phase: Bar["phase"], from: number | null, to: number | null) => {
    if (from !== null && to !== null && to >= from) bars.push({ phase, from, to });
  };
  const isOpen = ["queued", "scheduled", "running"].includes(attempt.state);
  const end = finished_at ?? (isOpen ? nowMs : started_at);
  add("queued", queued_at, received_at ?? started_at ?? (isOpen ? nowMs : null));
  add("received", received_at, started_at ?? (isOpen ? nowMs : null));
  add("run", started_at, end);
  add("gap", finished_at, next_at);
  return bars;
}

function describe(bar: Bar): string {
  const names = {
    queued: "waiting in the queue",
    received: "held by the worker",
    run: "running",
    gap: "until the next attempt",
  };
  return `${names[bar.phase]}: ${duration((bar.to - bar.from) * 1000)}\n${absolute(bar.from)}`;
}

export function Waterfall({ attempts }: { attempts: Attempt[] }) {
  const nowMs = useNow();
  const lanes = attempts.map((attempt) => ({ attempt, bars: barsOf(attempt, nowMs) }));
  const all = lanes.flatMap((lane) => lane.bars);
  if (all.length === 0) return null;
  const from = Math.min(...all.map((bar) => bar.from));
  const span = Math.max(1, Math.max(...all.map((bar) => bar.to)) - from);
  const share = (ms: number) => `${(ms / span) * 100}%`;
  return (
    <div className={css.lanes}>
      {lanes.map(({ attempt, bars }) => (
        <div key={`${attempt.attempt}${attempt.run ?? ""}`} className={css.lane}>
          <span className={css.laneName}>attempt {attempt.attempt}</span>
          <div className={css.track}>
            {bars.map((bar) => (
              <div
                key={bar.phase}
                className={css.bar}
                data-phase={bar.phase}
                data-state={bar.phase === "run" ? attempt.state : undefined}
                style={{ left: share(bar.from - from), width: share(bar.to - bar.from) }}
                title={describe(bar)}
              />
            ))}
          </div>
          <span className={css.laneTook} title={attempt.worker ? plain(attempt.worker) : undefined}>
            {attempt.took_us === null ? attempt.state : duration(attempt.took_us)}
          </span>
        </div>
      ))}
      <div className={css.scale} aria-hidden="true">
        <span>0</span>
        <span>{duration((span / 2) * 1000)}</span>
        <span>{duration(span * 1000)}</span>
      </div>
    </div>
  );
}
