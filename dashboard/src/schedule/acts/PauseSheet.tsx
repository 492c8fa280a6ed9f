/** Pause, for ever or until a time. */
import { useState } from "react";
import { pauseSchedule } from "../../api/scheduleQueries";
import { brainNow } from "../../ui/clock";
import { plain } from "../../ui/escape";
import css from "../../ui/overlay.module.css";
import { ActSheet } from "./ActSheet";
import { type SheetProps, useAct } from "./act";

const HOUR_MS = 3_600_000;
const CHOICES: [value: string, label: string][] = [
  ["", "I resume it"],
  ["1", "in 1 hour"],
  ["8", "in 8 hours"],
  ["24", "in 24 hours"],
  ["at", "a time of mine"],
];

/** Milliseconds of the end, null for none; undefined while the time is not a time to come. */
export function endOf(choice: string, typed: string, nowMs: number): number | null | undefined {
  if (choice === "") return null;
  if (choice !== "at") return nowMs + Number(choice) * HOUR_MS;
  const at = Date.parse(typed);
  return at > nowMs ? at : undefined;
}

export function PauseSheet(props: SheetProps) {
  const { project, schedule } = props;
  const [choice, setChoice] = useState("");
  const [typed, setTyped] = useState("");
  const [note, setNote] = useState("");
  const act = useAct(
    props,
    () =>
      pauseSchedule(project, schedule.id, endOf(choice, typed, brainNow()) ?? null, note.trim()),
    `Paused ${plain(schedule.name)}`,
  );
  const isUnknown = endOf(choice, typed, brainNow()) === undefined;
  return (
    <ActSheet
      title={`Pause ${plain(schedule.name)}`}
      verb="Pause"
      why={isUnknown ? "Choose a time to come" : null}
      note="Tasks that are enqueued already go on"
      isBusy={act.isPending}
      error={act.error}
      onClose={props.onClose}
      onAct={() => act.mutate()}
    >
      <p className={css.effect}>
        Its slots pass without a fire. They are not made up for when it goes on.
      </p>
      <label className={css.field}>
        <span>Until</span>
        <select
          className={css.input}
          value={choice}
          onChange={(event) => setChoice(event.target.value)}
        >
          {CHOICES.map(([value, label]) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </select>
      </label>
      {choice === "at" && (
        <label className={css.field}>
          <span>Time, in your zone</span>
          <input
            type="datetime-local"
            className={css.input}
            value={typed}
            aria-invalid={isUnknown && typed !== ""}
            onChange={(event) => setTyped(event.target.value)}
          />
        </label>
      )}
      <label className={css.field}>
        <span>Note (optional)</span>
        <input
          className={css.input}
          value={note}
          maxLength={500}
          placeholder="shown beside the schedule"
          onChange={(event) => setNote(event.target.value)}
        />
      </label>
    </ActSheet>
  );
}
