/** Which sheet of a schedule is open. The rule: a sheet says what will happen before its button does it. */
import { lazy, type ReactNode, Suspense, useMemo, useState } from "react";
import { Problem } from "../../api/http";
import { resumeSchedule } from "../../api/scheduleQueries";
import type { Fire, Schedule } from "../../api/types";
import { plain } from "../../ui/escape";
import { say } from "../../ui/notice";
import { useRefreshed } from "./act";

const Pause = lazy(() => import("./PauseSheet").then((m) => ({ default: m.PauseSheet })));
const FireNow = lazy(() => import("./FireSheet").then((m) => ({ default: m.FireSheet })));
const Backfill = lazy(() => import("./BackfillSheet").then((m) => ({ default: m.BackfillSheet })));
const Replay = lazy(() => import("./ReplaySheet").then((m) => ({ default: m.ReplaySheet })));
const Delete = lazy(() => import("./DeleteSheet").then((m) => ({ default: m.DeleteSheet })));

type Kind = "pause" | "fire" | "backfill" | "replay" | "delete";
type Open = { kind: Kind; schedule: Schedule; fire?: Fire } | null;
export function useActs(project: string, onDeleted?: () => void) {
  const [open, setOpen] = useState<Open>(null);
  const refreshed = useRefreshed(project);
  const acts = useMemo(() => {
    const sheet = (kind: Kind) => (schedule: Schedule) => setOpen({ kind, schedule });
    return {
      pause: sheet("pause"),
      fire: sheet("fire"),
      backfill: sheet("backfill"),
      delete: sheet("delete"),
      replay: (schedule: Schedule, fire: Fire) => setOpen({ kind: "replay", schedule, fire }),
      resume: (schedule: Schedule) =>
        void resumeSchedule(project, schedule.id).then(
          () => {
            say(`Resumed ${plain(schedule.name)}: slots up to now are not made up for`);
            refreshed();
          },
          (error: unknown) => say(error instanceof Problem ? error.detail : String(error), "bad"),
        ),
    };
  }, [project, refreshed]);
  const close = () => setOpen(null);
  let sheet: ReactNode = null;
  if (open) {
    const props = { project, schedule: open.schedule, onClose: close };
    if (open.kind === "pause") sheet = <Pause {...props} />;
    else if (open.kind === "fire") sheet = <FireNow {...props} />;
    else if (open.kind === "backfill") sheet = <Backfill {...props} />;
    else if (open.kind === "delete") sheet = <Delete {...props} onDeleted={onDeleted} />;
    else if (open.fire) sheet = <Replay {...props} fire={open.fire} />;
  }
  return { acts, sheet: <Suspense fallback={null}>{sheet}</Suspense> };
}

export type Acts = ReturnType<typeof useActs>["acts"];
