/** A schedule is made or edited. */
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useParams } from "@tanstack/react-router";
import { useCallback, useMemo } from "react";
import { scheduleText } from "../api/scheduleQueries";
import type { Schedule } from "../api/types";
import { useView } from "../live/context";
import { useRefreshed } from "../schedule/acts/act";
import { newDraft, viewerZone } from "../schedule/form/draft";
import { ScheduleForm } from "../schedule/form/ScheduleForm";
import { savedOf } from "../schedule/form/useSave";
import { useProject, useUrl } from "../shell/search";
import { say } from "../ui/notice";
import { ErrorView, Skeleton } from "../ui/parts";
import { Text } from "../ui/Text";
import css from "./page.module.css";

function useSaved(project: string, verb: string) {
  const navigate = useNavigate();
  const { range } = useUrl();
  const refreshed = useRefreshed(project);
  useView({ project, view: "now", q: "", range });
  return useCallback(
    (schedule: Schedule) => {
      say(`${verb} as revision ${schedule.revision}`);
      refreshed();
      void navigate({
        to: "/p/$project/schedules/$id",
        params: { project, id: schedule.id },
        search: {},
      });
    },
    [navigate, project, refreshed, verb],
  );
}

export function NewSchedulePage() {
  const project = useProject();
  const onSaved = useSaved(project, "Created");
  const initial = useMemo(() => newDraft(viewerZone()), []);
  return (
    <div className={css.page}>
      <header className={css.head}>
        <h1>New schedule</h1>
      </header>
      <ScheduleForm project={project} initial={initial} saved={null} onSaved={onSaved} />
    </div>
  );
}

export function EditSchedulePage() {
  const project = useProject();
  const { id = "" } = useParams({ strict: false });
  const onSaved = useSaved(project, "Saved");
  const { data, error } = useQuery(scheduleText(project, id));
  const saved = useMemo(() => (data === undefined ? null : savedOf(data)), [data]);
  if (error && !saved) return <ErrorView error={error} />;
  if (!saved) return <Skeleton />;
  return (
    <div className={css.page}>
      <header className={css.head}>
        <h1>
          Edit <Text value={saved.base.name} limit={200} />
        </h1>
        <span>revision {saved.revision}</span>
      </header>
      <ScheduleForm project={project} initial={saved.base} saved={saved} onSaved={onSaved} />
    </div>
  );
}
