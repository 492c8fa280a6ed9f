/** One schedule: what comes, what was, what it does when things go wrong, and who fires it. */
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { useMemo } from "react";
import { previewSchedule, schedule as scheduleQuery } from "../api/scheduleQueries";
import type { Schedule } from "../api/types";
import { usePace } from "../live/context";
import { AroundChange } from "../schedule/AroundChange";
import { type Acts, useActs } from "../schedule/acts/useActs";
import { FireHistory } from "../schedule/FireHistory";
import { FireStrip, Legend } from "../schedule/FireStrip";
import { viewerZone } from "../schedule/form/draft";
import { asked } from "../schedule/form/usePreview";
import { Leaders } from "../schedule/Leaders";
import { NextSlots } from "../schedule/NextSlots";
import { policyLines } from "../schedule/policyWords";
import { Revisions } from "../schedule/Revisions";
import { LastResult } from "../schedule/ScheduleTable";
import own from "../schedule/schedule.module.css";
import { useLiveSchedules } from "../schedule/useLiveSchedules";
import { NextFire, Standing } from "../schedule/When";
import { YearMap } from "../schedule/YearMap";
import { useProject } from "../shell/search";
import { CanButton } from "../task/CanButton";
import { count, duration } from "../ui/format";
import { useKeys } from "../ui/keys";
import { Part } from "../ui/Part";
import { ErrorView, Skeleton, Tag } from "../ui/parts";
import { Text } from "../ui/Text";
import css from "./page.module.css";

function Toolbar({ schedule, acts, edit }: { schedule: Schedule; acts: Acts; edit: () => void }) {
  const { can, paused } = schedule;
  return (
    <div className={own.toolbar} role="toolbar" aria-label="actions">
      <CanButton can={can.edit} icon="edit" title="e" onClick={edit}>
        Edit
      </CanButton>
      <CanButton can={can.fire} icon="actions" onClick={() => acts.fire(schedule)}>
        Fire now
      </CanButton>
      {paused ? (
        <CanButton
          can={can.resume}
          icon="play"
          tone="primary"
          onClick={() => acts.resume(schedule)}
        >
          Resume
        </CanButton>
      ) : (
        <CanButton can={can.pause} icon="pause" onClick={() => acts.pause(schedule)}>
          Pause
        </CanButton>
      )}
      <CanButton can={can.backfill} icon="retry" onClick={() => acts.backfill(schedule)}>
        Backfill
      </CanButton>
      <CanButton can={can.delete} icon="trash" onClick={() => acts.delete(schedule)}>
        Delete
      </CanButton>
    </div>
  );
}

function Totals({ project, schedule }: { project: string; schedule: Schedule }) {
  const { engine, task } = schedule;
  return (
    <div className={css.totals}>
      <span>
        next <NextFire schedule={schedule} />
      </span>
      <span>
        last <LastResult schedule={schedule} />
      </span>
      <span>
        <b>{count(schedule.fires_total)}</b> fires
      </span>
      <span>
        p95 lag <b>{duration(schedule.lag_p95_ms === null ? null : schedule.lag_p95_ms * 1000)}</b>
      </span>
      <FireStrip strip={schedule.strip} graceS={schedule.grace_s} />
      <span>
        definition{" "}
        <Link
          to="/p/$project/catalog/$engine/$name"
          params={{ project, engine, name: task }}
          search={{}}
        >
          <Text value={task} limit={200} />
        </Link>
      </span>
      <Link
        to="/p/$project/tasks"
        params={{ project }}
        search={{ q: `schedule:${schedule.id}`, range: "7d" }}
      >
        its tasks
      </Link>
    </div>
  );
}

function Coming({ project, schedule }: { project: string; schedule: Schedule }) {
  const json = useMemo(() => previewBody(schedule), [schedule]);
  const { data, error } = useQuery({
    queryKey: [project, "/schedules/next", json, schedule.last_slot_ms],
    queryFn: ({ signal }) => previewSchedule(project, json, signal),
    placeholderData: (old) => old,
  });
  if (error && !data) return <ErrorView error={error} />;
  if (!data) return <Skeleton rows={6} />;
  return (
    <>
      {data.warnings.map((one) => (
        <p key={one.code + one.text} className={css.warn}>
          <Text value={one.text} />
        </p>
      ))}
      <NextSlots slots={data.next} viewerZone={viewerZone()} />
      <AroundChange
        project={project}
        next={data.next}
        viewerZone={viewerZone()}
        bodyFrom={(start, n) => previewBody({ ...schedule, start_at: start }, n)}
      />
    </>
  );
}

const SLOT_FIELDS = [
  "specs",
  "exclude",
  "calendars",
  "blackouts",
  "start_at",
  "end_at",
  "max_fires",
  "jitter_s",
  "jitter_mode",
] as const;

/** What decides slots, and no arguments: their digits are not this page's to carry. */
function previewBody(schedule: Schedule, n = 10): string {
  const parts = SLOT_FIELDS.map((name) => `"${name}": ${JSON.stringify(schedule[name])}`);
  const more = Object.entries(asked(schedule.id, n, null)).map(([k, v]) => `"${k}": ${v}`);
  return `{${[...parts, ...more].join(", ")}}`;
}

function Policies({ schedule }: { schedule: Schedule }) {
  return (
    <dl className={own.policies}>
      {policyLines(schedule).map((line) => (
        <div key={line.label}>
          <dt>{line.label}</dt>
          <dd>{line.text}</dd>
        </div>
      ))}
    </dl>
  );
}

function Drifted({ schedule }: { schedule: Schedule }) {
  if (schedule.drift.length === 0) return null;
  return (
    <section className={css.section}>
      <h2>edited since it was declared ({schedule.owner})</h2>
      {schedule.drift.map((one) => (
        <div key={one.field} className={own.change}>
          <code>{one.field}</code>
          <span>
            <code>
              <del>
                <Text value={JSON.stringify(one.declared)} limit={400} />
              </del>{" "}
              <ins>
                <Text value={JSON.stringify(one.now)} limit={400} />
              </ins>
            </code>
          </span>
        </div>
      ))}
    </section>
  );
}

export function SchedulePage() {
  const project = useProject();
  const { id = "" } = useParams({ strict: false });
  const navigate = useNavigate();
  useLiveSchedules(project, "");
  const { data, error } = useQuery({
    ...scheduleQuery(project, id),
    refetchInterval: usePace(30_000),
  });
  const { acts, sheet } = useActs(
    project,
    () => void navigate({ to: "/p/$project/schedules", params: { project }, search: {} }),
  );
  const edit = useMemo(
    () => () =>
      void navigate({ to: "/p/$project/schedules/$id/edit", params: { project, id }, search: {} }),
    [navigate, project, id],
  );
  useKeys(useMemo(() => ({ e: edit }), [edit]));
  if (error && !data) return <ErrorView error={error} />;
  if (!data) return <Skeleton />;
  return (
    <div className={css.page}>
      <header className={css.head}>
        <h1>
          <Text value={data.name} limit={200} />
        </h1>
        <span>
          {data.engine} · <Text value={data.app} limit={128} />
        </span>
        <Standing schedule={data} />
        {data.tags.map((tag) => (
          <Tag key={tag}>
            <Text value={tag} limit={64} />
          </Tag>
        ))}
        <span className={css.gap} />
        <Toolbar schedule={data} acts={acts} edit={edit} />
      </header>
      <Totals project={project} schedule={data} />
      <p className={own.words}>
        <Text value={data.words} />
      </p>
      {data.description && (
        <p className={`${own.words} ${css.muted}`}>
          <Text value={data.description} multiline />
        </p>
      )}
      <Drifted schedule={data} />
      <div className={own.two}>
        <section className={css.section}>
          <h2>next 10</h2>
          <Part name="list of slots">
            <Coming project={project} schedule={data} />
          </Part>
        </section>
        <div>
          <section className={css.section}>
            <h2>what it does when things go wrong</h2>
            <Policies schedule={data} />
          </section>
          <section className={css.section}>
            <h2>who fires it</h2>
            <Part name="leader">
              <Leaders project={project} schedule={data} />
            </Part>
          </section>
          <section className={css.section}>
            <h2>the last 53 weeks</h2>
            <Part name="calendar">
              <YearMap project={project} schedule={data} />
            </Part>
          </section>
        </div>
      </div>
      <section className={css.section}>
        <h2>fires</h2>
        <Part name="history">
          <FireHistory project={project} schedule={data} replay={acts.replay} />
        </Part>
        <Legend />
      </section>
      <section className={css.section}>
        <h2>revisions</h2>
        <Part name="list of revisions">
          <Revisions project={project} schedule={data} />
        </Part>
      </section>
      <Part name="dialog">{sheet}</Part>
    </div>
  );
}
