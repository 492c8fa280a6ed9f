/** Fire now. */
import { useState } from "react";
import { fireSchedule } from "../../api/scheduleQueries";
import { plain } from "../../ui/escape";
import css from "../../ui/overlay.module.css";
import { Text } from "../../ui/Text";
import { policyLines } from "../policyWords";
import { ActSheet } from "./ActSheet";
import { type SheetProps, useAct } from "./act";

export function FireSheet(props: SheetProps) {
  const { project, schedule } = props;
  const [reason, setReason] = useState("");
  const act = useAct(
    props,
    () => fireSchedule(project, schedule.id, reason.trim()),
    `Asked an agent to fire ${plain(schedule.name)}`,
  );
  const overlap = policyLines(schedule).find((line) => line.label === "overlap");
  return (
    <ActSheet
      title={`Fire ${plain(schedule.name)} now`}
      verb="Fire 1"
      why={null}
      note="The next slot stays where it is"
      isBusy={act.isPending}
      error={act.error}
      onClose={props.onClose}
      onAct={() => act.mutate()}
    >
      <p className={css.effect}>
        One <Text value={schedule.task} limit={200} /> is enqueued now on {schedule.engine}, with
        the arguments of the schedule.
      </p>
      {overlap && <p>{overlap.text}</p>}
      <label className={css.field}>
        <span>Reason (optional)</span>
        <input
          className={css.input}
          value={reason}
          maxLength={500}
          placeholder="kept in the history"
          onChange={(event) => setReason(event.target.value)}
        />
      </label>
    </ActSheet>
  );
}
