/** The newest fires as cells. The rule: each outcome has its own outline; colour only repeats it. */
import type { StripFire } from "../api/types";
import { duration, moment } from "../ui/format";
import { OUTCOMES, type Outcome, outcomeOf } from "./outcome";
import css from "./schedule.module.css";

const CELL = 8;
const HEIGHT = 16;
export const SHOWN = 30;

function Shape({ outcome }: { outcome: Outcome }) {
  switch (outcome) {
    case "on time":
      return <rect x="1" y="1" width="6" height="14" rx="1" />;
    case "late":
      return (
        <>
          <rect x="1" y="8" width="6" height="7" rx="1" />
          <path d="M1.6 8V1.6h4.8V8" fill="none" stroke="currentColor" strokeWidth="1.2" />
        </>
      );
    case "failed":
      return (
        <>
          <rect x="1" y="1" width="6" height="14" rx="1" />
          <path d="M2.4 5.8l3.2 4.4M5.6 5.8 2.4 10.2" stroke="var(--z-card)" strokeWidth="1.3" />
        </>
      );
    case "missed":
      return (
        <rect
          x="1.6"
          y="1.6"
          width="4.8"
          height="12.8"
          rx="1"
          fill="none"
          stroke="currentColor"
          strokeWidth="1.2"
          strokeDasharray="2 1.6"
        />
      );
    case "skipped":
      return <rect x="1" y="7" width="6" height="2.4" rx="1" />;
    case "duplicate suppressed":
      return <path d="M2.2 1v14M5.8 1v14" fill="none" stroke="currentColor" strokeWidth="1.6" />;
    case "waiting":
      return <circle cx="4" cy="8" r="2.4" fill="none" stroke="currentColor" strokeWidth="1.4" />;
  }
}

export function OutcomeMark({ outcome }: { outcome: Outcome }) {
  return (
    <svg
      className={css.mark}
      width={CELL}
      height={HEIGHT}
      viewBox={`0 0 ${CELL} ${HEIGHT}`}
      fill="currentColor"
      data-outcome={outcome}
      aria-hidden="true"
    >
      <Shape outcome={outcome} />
    </svg>
  );
}

/** What the cells say, for those who do not see them. */
export function summary(strip: StripFire[], graceMs: number): string {
  const counts = new Map<Outcome, number>();
  for (const fire of strip) {
    const outcome = outcomeOf(fire, graceMs);
    counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  }
  const parts = OUTCOMES.flatMap((one) => (counts.has(one) ? [`${counts.get(one)} ${one}`] : []));
  return parts.length === 0 ? "no fires yet" : `newest fires: ${parts.join(", ")}`;
}

function titleOf(fire: StripFire, graceMs: number): string {
  const lag = fire.lag_ms ? ` · ${duration(fire.lag_ms * 1000)} behind` : "";
  const state = fire.state ? ` · ${fire.state}` : "";
  return `${moment(fire.slot_ms)} · ${outcomeOf(fire, graceMs)}${lag}${state}`;
}

export function FireStrip({ strip, graceS }: { strip: StripFire[]; graceS: number }) {
  const graceMs = graceS * 1000;
  const fires = strip.slice(-SHOWN);
  const width = SHOWN * CELL;
  const start = (SHOWN - fires.length) * CELL;
  return (
    <svg
      className={css.strip}
      width={width}
      height={HEIGHT}
      viewBox={`0 0 ${width} ${HEIGHT}`}
      role="img"
      aria-label={summary(fires, graceMs)}
      fill="currentColor"
    >
      {Array.from({ length: SHOWN - fires.length }, (_, at) => (
        <rect key={at} className={css.none} x={at * CELL + 3} y="7.5" width="2" height="1.5" />
      ))}
      {fires.map((fire, at) => {
        const outcome = outcomeOf(fire, graceMs);
        return (
          <g
            key={fire.fire_id}
            data-outcome={outcome}
            transform={`translate(${start + at * CELL})`}
          >
            <title>{titleOf(fire, graceMs)}</title>
            <rect width={CELL} height={HEIGHT} fill="transparent" />
            <Shape outcome={outcome} />
          </g>
        );
      })}
    </svg>
  );
}

export function Legend() {
  return (
    <ul className={css.legend} aria-label="legend of the cells">
      {OUTCOMES.map((outcome) => (
        <li key={outcome}>
          <OutcomeMark outcome={outcome} />
          {outcome}
        </li>
      ))}
    </ul>
  );
}
