/** Delete, with its name typed. */
import { useState } from "react";
import { deleteSchedule } from "../../api/scheduleQueries";
import { plain } from "../../ui/escape";
import css from "../../ui/overlay.module.css";
import { ActSheet } from "./ActSheet";
import { type SheetProps, useAct } from "./act";

export function DeleteSheet(props: SheetProps & { onDeleted?: () => void }) {
  const { project, schedule } = props;
  const [typed, setTyped] = useState("");
  const [reason, setReason] = useState("");
  const name = plain(schedule.name);
  const act = useAct(
    props,
    async () => {
      await deleteSchedule(project, schedule.id, schedule.revision, reason.trim());
      props.onDeleted?.();
    },
    `Deleted ${name}`,
  );
  return (
    <ActSheet
      title={`Delete ${name}`}
      verb="Delete 1"
      isDanger
      why={typed === name ? null : "Type the name shown above"}
      note="This cannot be undone"
      isBusy={act.isPending}
      error={act.error}
      onClose={props.onClose}
      onAct={() => act.mutate()}
    >
      <p className={css.effect}>
        It fires no more. Tasks that it enqueued stay, and so does what the audit says of it.
      </p>
      <label className={css.field}>
        <span>
          Type <code>{name}</code> to confirm
        </span>
        <input
          className={css.input}
          value={typed}
          autoComplete="off"
          aria-invalid={typed !== "" && typed !== name}
          onChange={(event) => setTyped(event.target.value)}
        />
      </label>
      <label className={css.field}>
        <span>Reason (optional)</span>
        <input
          className={css.input}
          value={reason}
          maxLength={500}
          placeholder="kept in the audit"
          onChange={(event) => setReason(event.target.value)}
        />
      </label>
    </ActSheet>
  );
}
