/** One fire again. */
import { useState } from "react";
import { replayFire } from "../../api/scheduleQueries";
import type { Fire } from "../../api/types";
import { plain } from "../../ui/escape";
import css from "../../ui/overlay.module.css";
import { ActSheet } from "./ActSheet";
import { type SheetProps, useAct } from "./act";
import { Choice } from "./Choice";

export function ReplaySheet(props: SheetProps & { fire: Fire }) {
  const { project, schedule, fire } = props;
  const slot = fire.slot_local || new Date(fire.slot_ms).toISOString();
  const [definition, setDefinition] = useState("then");
  const act = useAct(
    props,
    () => replayFire(project, schedule.id, fire.fire_id, definition),
    `Asked an agent to replay the slot ${slot}`,
  );
  const choices: [value: string, label: string][] = [
    ["then", `as it was then, revision ${fire.revision}`],
    ["current", `as it is now, revision ${schedule.revision}`],
  ];
  return (
    <ActSheet
      title={`Replay ${plain(schedule.name)}, slot ${slot}`}
      verb="Replay 1"
      why={null}
      note="The task gets a new id"
      isBusy={act.isPending}
      error={act.error}
      onClose={props.onClose}
      onAct={() => act.mutate()}
    >
      <p className={css.effect}>One task is enqueued now for a slot that has passed.</p>
      <Choice
        label="Task, arguments and queue"
        value={definition}
        choices={choices}
        onChange={setDefinition}
      />
    </ActSheet>
  );
}
