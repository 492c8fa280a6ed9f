/** Retry, edit, cancel, terminate. Each opens a sheet with its preview. */
import { useMemo } from "react";
import { openSheet } from "../actions/sheet";
import type { ActionName, TaskDetail } from "../api/types";
import { plain } from "../ui/escape";
import { useKeys } from "../ui/keys";
import { say } from "../ui/notice";
import { CanButton } from "./CanButton";
import css from "./task.module.css";

function useSheets(task: TaskDetail) {
  return useMemo(() => {
    const sheet = (action: ActionName) => () =>
      openSheet({ action, refs: [task.ref], title: plain(task.task), task });
    const guarded = (action: ActionName, can: { ok: boolean; why: string | null }) => () =>
      can.ok ? sheet(action)() : say(can.why ?? "Not possible for this task", "bad");
    return {
      retry: sheet("retry"),
      edit: sheet("retry_edited"),
      cancel: sheet("cancel"),
      terminate: sheet("terminate"),
      keys: {
        e: guarded("retry_edited", task.actions.edit_retry),
        r: guarded("retry", task.actions.retry),
        c: guarded("cancel", task.actions.cancel),
      },
    };
  }, [task]);
}

const PENDING = ["queued", "scheduled", "running", "retrying"];

export function TaskActions({ task }: { task: TaskDetail }) {
  const sheets = useSheets(task);
  useKeys(sheets.keys);
  const { retry, edit_retry, cancel, terminate } = task.actions;
  const isPending = PENDING.includes(task.state);
  return (
    <div className={css.actions} role="toolbar" aria-label="actions">
      <CanButton
        can={retry}
        icon="retry"
        tone={isPending ? undefined : "primary"}
        title="r"
        onClick={sheets.retry}
      >
        Retry
      </CanButton>
      <CanButton can={edit_retry} title="e" onClick={sheets.edit}>
        Edit and retry
      </CanButton>
      <CanButton can={cancel} icon="cancel" title="c" onClick={sheets.cancel}>
        Cancel
      </CanButton>
      <CanButton can={terminate} icon="stop" onClick={sheets.terminate}>
        Terminate
      </CanButton>
    </div>
  );
}
