/** The fleet: a map of slots above the table. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { workers } from "../api/queries";
import type { Worker } from "../api/types";
import { usePace, useView } from "../live/context";
import own from "../schedule/places.module.css";
import { useProject, useUrl } from "../shell/search";
import { bytes, count, percent, plural } from "../ui/format";
import { Empty, ErrorView, Skeleton } from "../ui/parts";
import { Text } from "../ui/Text";
import { Time } from "../ui/Time";
import css from "./page.module.css";
import { Slots, WorkerState } from "./WorkerState";

const REFRESH_MS = 5000;

/** Workers change slowly: read at a pace of our own, never per event. */
export function useRefresh(): number | false {
  return usePace(REFRESH_MS);
}

function WorkerLink({ project, worker }: { project: string; worker: Worker }) {
  return (
    <Link
      to="/p/$project/workers/$id"
      params={{ project, id: worker.id }}
      search={{}}
      className={css.name}
    >
      <Text value={worker.name} limit={256} />
    </Link>
  );
}

function Row({ project, worker }: { project: string; worker: Worker }) {
  return (
    <tr>
      <td>
        <WorkerLink project={project} worker={worker} />
      </td>
      <td>
        <WorkerState state={worker.state} />
      </td>
      <td className={`${css.muted} ${css.wide}`}>{worker.engine}</td>
      <td className={`${css.muted} ${css.wide}`}>
        <Text value={worker.host} limit={120} />
      </td>
      <td className={`${css.muted} ${css.wide}`}>
        <Text value={worker.release} limit={40} />
      </td>
      <td className={css.end} data-name="busy">
        {worker.busy ?? "—"}/{worker.slots ?? "—"}
      </td>
      <td className={`${css.end} ${css.wide}`}>
        {count(worker.tasks_per_min === null ? null : Math.round(worker.tasks_per_min))}
      </td>
      <td className={`${css.end} ${(worker.fail_pct ?? 0) > 5 ? css.bad : ""}`} data-name="fail">
        {percent(worker.fail_pct)}
      </td>
      <td className={`${css.end} ${css.wide}`}>
        {bytes(worker.rss_kb === null ? null : worker.rss_kb * 1024)}
      </td>
      <td className={`${css.end} ${css.wide} ${(worker.lag_ms ?? 0) > 1000 ? css.warn : ""}`}>
        {worker.lag_ms === null ? "—" : `${count(worker.lag_ms)} ms`}
      </td>
      <td className={`${css.end} ${css.muted} ${css.wide}`}>
        <Time at={worker.up_since_at} />
      </td>
      <td className={css.end} data-name="heard">
        <Time at={worker.last_heard_at} form="distance" />
      </td>
    </tr>
  );
}

const RANK: Worker["state"][] = [
  "died",
  "offline",
  "not_answering",
  "stalled",
  "draining",
  "online",
];

export function WorkersPage() {
  const project = useProject();
  const { range } = useUrl();
  const refetchInterval = useRefresh();
  useView({ project, view: "queues", q: "", range });
  const { data, error } = useQuery({ ...workers(project), refetchInterval });
  if (error && !data) return <ErrorView error={error} />;
  if (!data) return <Skeleton />;
  if (data.items.length === 0) {
    return (
      <Empty title="No worker has connected yet">
        A worker appears here within a second of its start.
      </Empty>
    );
  }
  const sorted = [...data.items].sort(
    (a, b) => RANK.indexOf(a.state) - RANK.indexOf(b.state) || a.name.localeCompare(b.name),
  );
  const online = data.items.filter((worker) => worker.state === "online").length;
  return (
    <div className={css.page}>
      <header className={css.head}>
        <h1>Workers</h1>
        <span>
          {online} of {plural(data.items.length, "worker")} online
        </span>
      </header>
      <div className={css.map}>
        {sorted.map((worker) => (
          <div
            key={worker.id}
            className={css.mapWorker}
            data-quiet={worker.state === "offline" || worker.state === "died" || undefined}
          >
            <WorkerLink project={project} worker={worker} />
            <Slots worker={worker} />
          </div>
        ))}
      </div>
      <div className={`${css.wrap} ${own.inset}`}>
        <table className={css.table} data-stack>
          <thead>
            <tr>
              <th>worker</th>
              <th>state</th>
              <th className={css.wide}>engine</th>
              <th className={css.wide}>host</th>
              <th className={css.wide}>release</th>
              <th className={css.end}>busy</th>
              <th className={`${css.end} ${css.wide}`}>tasks/min</th>
              <th className={css.end}>fail</th>
              <th className={`${css.end} ${css.wide}`}>memory</th>
              <th className={`${css.end} ${css.wide}`}>loop lag</th>
              <th className={`${css.end} ${css.wide}`}>up</th>
              <th className={css.end}>heard</th>
            </tr>
          </thead>
          <tbody>
            {sorted.map((worker) => (
              <Row key={worker.id} project={project} worker={worker} />
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}
