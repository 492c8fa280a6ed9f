/** A fire as a row: its slot, how late, what became of it and why. */
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { Fire } from "../api/types";
import css from "../routes/page.module.css";
import { plain } from "../ui/escape";
import { count, DASH, duration } from "../ui/format";
import { StateIcon } from "../ui/StateIcon";
import { Text } from "../ui/Text";
import { OutcomeMark } from "./FireStrip";
import { wallText } from "./marks";
import { outcomeOf, statusWords, triggerWords } from "./outcome";
import own from "./schedule.module.css";

type Props = {
  project: string;
  fire: Fire;
  graceMs: number;
  /** Content of a cell before the slot. */
  lead?: ReactNode;
  /** A cell behind the slot, and cells at the end. */
  due?: ReactNode;
  tail?: ReactNode;
};

export function utcText(at: number): string {
  return new Date(at).toISOString().slice(0, 19).replace("T", " ");
}

function Slot({ fire }: { fire: Fire }) {
  const utc = utcText(fire.slot_ms);
  // Where the zone is UTC, once is enough.
  if (fire.slot_local.slice(0, 19).replace("T", " ") === utc) {
    return (
      <>
        {wallText(fire.slot_local)} <span className={own.faint}>UTC</span>
      </>
    );
  }
  return (
    <>
      {fire.slot_local && wallText(fire.slot_local)}
      {fire.fold > 0 && <small> second</small>}{" "}
      <span className={fire.slot_local ? own.faint : undefined}>
        {utc.slice(0, fire.slot_ms % 60_000 === 0 ? 16 : 19)} UTC
      </span>
    </>
  );
}

export function FireRow({ project, fire, graceMs, lead, due, tail }: Props) {
  const outcome = outcomeOf({ ...fire, state: fire.task?.state ?? null }, graceMs);
  return (
    <tr data-status={fire.status}>
      {lead && <td className={css.name}>{lead}</td>}
      <td className={lead ? css.muted : css.name} title={`${utcText(fire.slot_ms)} UTC`}>
        <Slot fire={fire} />
      </td>
      {due}
      <td className={css.end} data-name="lag">
        {fire.sent === null || fire.lag_ms === null ? DASH : duration(fire.lag_ms * 1000)}
      </td>
      <td className={own.statusCell}>
        <span className={own.outcome}>
          <OutcomeMark outcome={outcome} />
          {statusWords(fire.status)}
          {fire.count > 1 && ` · ${count(fire.count)} slots`}
        </span>
        {fire.reason && (
          <span className={css.muted} title={plain(fire.reason)}>
            {" "}
            · <Text value={fire.reason} limit={256} />
          </span>
        )}
      </td>
      <td className={css.muted}>
        {triggerWords(fire.trigger)}
        {fire.actor && (
          <>
            {" "}
            · <Text value={fire.actor} limit={120} />
          </>
        )}
      </td>
      <td>
        {fire.task ? (
          <Link
            to="/p/$project/t/$ref"
            params={{ project, ref: fire.task.ref }}
            search={{}}
            className={own.outcome}
          >
            <StateIcon state={fire.task.state} label />
          </Link>
        ) : (
          <span className={css.faint}>{DASH}</span>
        )}
      </td>
      {tail}
    </tr>
  );
}
