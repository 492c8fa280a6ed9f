/** One worker: what runs now, its queues, settings and agent. */
import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { openSheet } from "../actions/sheet";
import { worker as workerQuery } from "../api/queries";
import type { ActionName, Worker } from "../api/types";
import { useView } from "../live/context";
import { only } from "../query/edit";
import { useProject, useUrl } from "../shell/search";
import { CanButton } from "../task/CanButton";
import { plain } from "../ui/escape";
import { bytes, count, plural, shortId, wayOf } from "../ui/format";
import { ErrorView, Skeleton } from "../ui/parts";
import { Text } from "../ui/Text";
import { Time } from "../ui/Time";
import css from "./page.module.css";
import { Slots, WorkerState } from "./WorkerState";
import { useRefresh } from "./workers";

function Pairs({ pairs }: { pairs: [string, string][] }) {
  return (
    <dl className={css.facts}>
      {pairs.map(([name, value]) => (
        <div key={name} style={{ display: "contents" }}>
          <dt>
            <Text value={name} limit={120} />
          </dt>
          <dd>
            <Text value={value} limit={2000} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

function RunningNow({ project, worker }: { project: string; worker: Worker }) {
  if (worker.running.length === 0) return <p className={css.faint}>Nothing.</p>;
  return (
    <table className={css.table}>
      <tbody>
        {worker.running.map((task) => (
          <tr key={task.ref}>
            <td className={css.name}>
              <Link to="/p/$project/t/$ref" params={{ project, ref: task.ref }} search={{}}>
                <Text value={task.task} limit={256} />
              </Link>
            </td>
            <td className={css.muted}>
              <code>
                <Text value={shortId(task.id)} />
              </code>
            </td>
            <td className={css.end}>
              <Time at={task.started_at} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function agentPairs({ agent }: Worker): [string, string][] {
  if (!agent) return [];
  return [
    ["version", agent.version ?? "—"],
    ["policy", agent.policy ?? "—"],
    ["storage", agent.storage ?? "—"],
    ["way here", wayOf(agent.transport)],
    ["kept on disk", bytes(agent.spool_bytes)],
    ["lost events", count(agent.lost)],
  ];
}

export function WorkerPage() {
  const project = useProject();
  const { range } = useUrl();
  const { id = "" } = useParams({ strict: false });
  const refetchInterval = useRefresh();
  useView({ project, view: "queues", q: "", range });
  const { data: worker, error } = useQuery({ ...workerQuery(project, id), refetchInterval });
  if (error && !worker) return <ErrorView error={error} />;
  if (!worker) return <Skeleton />;
  const { engine, app, name } = worker;
  const act = (action: ActionName) => () =>
    openSheet({ action, title: `worker ${plain(name)}`, targets: [{ engine, app, worker: name }] });
  const config = Object.entries(worker.config).map(([key, value]): [string, string] => [
    key,
    JSON.stringify(value) ?? "—",
  ]);
  return (
    <div className={css.page}>
      <header className={css.head}>
        <h1>
          <Text value={name} limit={256} />
        </h1>
        <WorkerState state={worker.state} />
        <span>
          heard <Time at={worker.last_heard_at} form="distance" />
        </span>
        <Slots worker={worker} />
        <span className={css.gap} />
        <CanButton can={worker.can.pool} onClick={act("pool")}>
          Resize pool
        </CanButton>
        <CanButton can={worker.can.restart} icon="retry" onClick={act("restart")}>
          Restart
        </CanButton>
      </header>
      <div className={css.columns}>
        <section className={css.section}>
          <h2>
            running now
            <Link
              to="/p/$project/tasks"
              params={{ project }}
              search={{ q: only("", "worker", name) }}
            >
              its tasks
            </Link>
          </h2>
          <RunningNow project={project} worker={worker} />
        </section>
        <section className={css.section}>
          <h2>process</h2>
          <Pairs
            pairs={[
              ["engine", `${engine} ${worker.versions[engine] ?? ""}`],
              ["host", worker.host ?? "—"],
              [
                "pool",
                `${worker.pool ?? "—"}, ${worker.slots === null ? "— slots" : plural(worker.slots, "slot")}`,
              ],
              ["pids", worker.pids.join(", ") || "—"],
              ["release", worker.release ?? "—"],
              ["queues", worker.queues.join(", ") || "—"],
              [
                "versions",
                Object.entries(worker.versions)
                  .map(([key, value]) => `${key} ${value}`)
                  .join(", ") || "—",
              ],
            ]}
          />
        </section>
        <section className={css.section}>
          <h2>settings</h2>
          {config.length > 0 ? (
            <Pairs pairs={config} />
          ) : (
            <p className={css.faint}>None reported.</p>
          )}
        </section>
        <section className={css.section}>
          <h2>agent</h2>
          {worker.agent ? (
            <Pairs pairs={agentPairs(worker)} />
          ) : (
            <p className={css.faint}>No agent reports for this worker.</p>
          )}
        </section>
      </div>
    </div>
  );
}
