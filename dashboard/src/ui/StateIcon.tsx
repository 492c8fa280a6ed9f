/** A state's shape. The rule: never colour alone, each state has its own outline and its word. */
import type { TaskState } from "../api/types";
import css from "./ui.module.css";

const RING = <circle cx="8" cy="8" r="5.3" />;
const SHAPES: Record<TaskState, React.ReactNode> = {
  queued: RING,
  scheduled: (
    <>
      {RING}
      <path d="M8 5v3.2l2 1.3" />
    </>
  ),
  running: (
    <>
      {RING}
      <path d="M8 2.7a5.3 5.3 0 0 1 0 10.6z" fill="currentColor" stroke="none" />
    </>
  ),
  retrying: <path d="M12.3 5.6A5 5 0 1 0 13 8.7M13 2.8v3.1H9.9" />,
  succeeded: <path d="M3.5 8.5l3 3 6-7" />,
  failed: (
    <>
      <circle cx="8" cy="8" r="6" fill="currentColor" stroke="none" />
      <path d="M5.8 5.8l4.4 4.4M10.2 5.8l-4.4 4.4" stroke="var(--z-card)" />
    </>
  ),
  cancelled: (
    <>
      {RING}
      <path d="M4.3 11.7l7.4-7.4" />
    </>
  ),
  expired: (
    <>
      {RING}
      <path d="M4.3 11.7l7.4-7.4M8 5v2" />
    </>
  ),
  lost: (
    <path d="M6.5 9.5 9.5 6.5M7 5l1.6-1.6a2.6 2.6 0 0 1 3.9 3.7M9 11l-1.6 1.6a2.6 2.6 0 0 1-3.9-3.7M3 4.5l1 .5M12 11l1 .5" />
  ),
  unknown: <circle cx="8" cy="8" r="5.3" strokeDasharray="2.2 1.9" />,
};

export const STATES = Object.keys(SHAPES) as TaskState[];

type Props = { state: TaskState; label?: boolean; note?: string };

export function StateIcon({ state, label = false, note }: Props) {
  const shape = SHAPES[state] ?? SHAPES.unknown;
  return (
    <span className={css.state} data-state={state} title={label ? undefined : state}>
      <svg
        width="16"
        height="16"
        viewBox="0 0 16 16"
        fill="none"
        stroke="currentColor"
        strokeWidth={state === "succeeded" ? 1.4 : 1.6}
        strokeLinecap="round"
        strokeLinejoin="round"
        role={label ? "presentation" : "img"}
        aria-label={label ? undefined : state}
      >
        {shape}
      </svg>
      {label && <span>{state}</span>}
      {note && <span className={css.stateNote}>{note}</span>}
    </span>
  );
}
