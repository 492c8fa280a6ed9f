/** The health of a project on one screen; before the first agent, how to connect it. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { lazy, Suspense, useCallback, useEffect, useState } from "react";
import { now, onboarding } from "../api/queries";
import type { Failing, Now } from "../api/types";
import { Sparkline } from "../charts/Sparkline";
import { Throughput } from "../charts/Throughput";
import { useLive, usePace, useView } from "../live/context";
import { useProject, useUrl } from "../shell/search";
import { Count } from "../ui/Count";
import { percent } from "../ui/format";
import { Icon } from "../ui/Icon";
import { Part } from "../ui/Part";
import { ErrorView, Skeleton } from "../ui/parts";
import { Text } from "../ui/Text";
import { Time } from "../ui/Time";
import css from "./page.module.css";
import { QueueTable } from "./QueueTable";

const Onboarding = lazy(() =>
  import("./onboarding").then((module) => ({ default: module.Onboarding })),
);

const NowStrip = lazy(() =>
  import("../schedule/NowStrip").then((module) => ({ default: module.NowStrip })),
);

function Totals({ totals }: Pick<Now, "totals">) {
  return (
    <div className={css.totals}>
      <Count n={totals.tasks} label="tasks" />
      <Count
        n={totals.failed}
        label="failed"
        className={totals.failed.value > 0 ? css.bad : undefined}
      />
      <Count n={totals.running} label="running" />
      <Count n={totals.queued} label="queued" />
    </div>
  );
}

function Charts({ data }: { data: Now["throughput"] }) {
  if (data.series.length === 0) {
    return <p className={css.faint}>No task has ended in this range.</p>;
  }
  return <Throughput data={data} />;
}

function FailingTable({ project, failing }: { project: string; failing: Failing[] }) {
  if (failing.length === 0) return <p className={css.faint}>Nothing has failed in this range.</p>;
  return (
    <div className={css.wrap}>
      <table className={css.table}>
        <thead>
          <tr>
            <th>definition</th>
            <th className={css.wide}>last error</th>
            <th className={css.wide}>
              <span className="sr">failures over time</span>
            </th>
            <th className={css.end}>failed</th>
            <th className={css.end}>of</th>
            <th className={css.end}>fail</th>
            <th className={css.end}>last</th>
          </tr>
        </thead>
        <tbody>
          {failing.map((row) => (
            <tr key={`${row.engine}${row.task}`}>
              <td className={css.name}>
                <Link
                  to="/p/$project/catalog/$engine/$name"
                  params={{ project, engine: row.engine, name: row.task }}
                  search={{}}
                >
                  <Text value={row.task} limit={256} />
                </Link>
              </td>
              <td className={`${css.bad} ${css.wide} ${css.why}`}>
                <Text value={row.last_error?.type?.split(".").at(-1)} limit={120} />
                <span className={css.muted}>
                  {" "}
                  <Text value={row.last_error?.message} limit={160} />
                </span>
              </td>
              <td className={`${css.sparkBad} ${css.wide}`}>
                <Sparkline values={row.spark} width={80} label="failures over time" />
              </td>
              <td className={css.end}>
                <Count n={row.failed} />
              </td>
              <td className={`${css.end} ${css.muted}`}>
                <Count n={row.total} />
              </td>
              <td className={css.end}>{percent(row.fail_pct)}</td>
              <td className={`${css.end} ${css.muted}`}>
                <Time at={row.last_at} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function AttentionList({ items }: { items: Now["attention"] }) {
  if (items.length === 0) return <p className={css.faint}>Nothing needs you.</p>;
  return (
    <ul className={css.attention}>
      {items.map((item, at) => (
        <li key={at} data-level={item.level}>
          <Icon name="warn" />
          {item.href?.startsWith("/") && !item.href.startsWith("//") ? (
            <Link to={item.href}>
              <Text value={item.text} />
            </Link>
          ) : (
            <Text value={item.text} />
          )}
        </li>
      ))}
    </ul>
  );
}

function Strip({ project, data }: { project: string; data: Now }) {
  return (
    <section className={css.section} data-area="queues">
      <h2>
        queues
        {data.queues_total > data.queues.length && (
          <Link to="/p/$project/queues" params={{ project }} search={{}}>
            all {data.queues_total}
          </Link>
        )}
      </h2>
      <Part name="queue strip">
        <QueueTable project={project} queues={data.queues} isShort />
      </Part>
    </section>
  );
}

function useLiveNow(project: string, range: string): void {
  const client = useQueryClient();
  useLive(
    "now",
    useCallback(
      (data) =>
        client.setQueryData<Now>([project, "/now", { range }], (old) =>
          old ? { ...old, ...(data as Partial<Now>) } : old,
        ),
      [client, project, range],
    ),
  );
  useLive(
    "reset",
    useCallback(
      () => void client.invalidateQueries({ queryKey: [project, "/now"] }),
      [client, project],
    ),
  );
}

/** The way in: shown while nothing was ever seen, and from then on until the reader leaves it. */
function useStart(project: string) {
  const [begun, setBegun] = useState("");
  const [left, setLeft] = useState("");
  const isOpen = begun === project && left !== project;
  const pace = usePace(2000);
  const { data } = useQuery({
    ...onboarding(project),
    refetchInterval: (query) => (isOpen || query.state.data?.agents === 0 ? pace : false),
  });
  const hasFacts = data?.steps.some((step) => step.id === "first_event" && step.done);
  const isNew = data?.agents === 0 && !hasFacts;
  useEffect(() => {
    if (isNew) setBegun(project);
  }, [isNew, project]);
  const isShown = left !== project && (isNew || isOpen);
  return { start: isShown ? data : undefined, leave: () => setLeft(project) };
}

export function NowPage() {
  const project = useProject();
  const { range } = useUrl();
  useView({ project, view: "now", q: "", range });
  useLiveNow(project, range);
  const { start, leave } = useStart(project);
  const { data, error } = useQuery({ ...now(project, range), refetchInterval: usePace(60_000) });
  if (start) {
    return (
      <Suspense fallback={<Skeleton />}>
        <Onboarding data={start} onLeave={leave} />
      </Suspense>
    );
  }
  if (error && !data) return <ErrorView error={error} />;
  if (!data) return <Skeleton rows={20} />;
  return (
    <div className={css.page}>
      <Totals totals={data.totals} />
      <div className={css.now}>
        <Strip project={project} data={data} />
        <section className={css.section} data-area="charts">
          <h2>throughput</h2>
          <Part name="throughput">
            <Charts data={data.throughput} />
          </Part>
        </section>
        <Part name="strip of schedules">
          <Suspense fallback={null}>
            <NowStrip project={project} />
          </Suspense>
        </Part>
        <section className={css.section} data-area="failing">
          <h2>failing most</h2>
          <Part name="list of failures">
            <FailingTable project={project} failing={data.failing} />
          </Part>
        </section>
        <section className={css.section} data-area="attention">
          <h2>attention</h2>
          <AttentionList items={data.attention} />
        </section>
      </div>
    </div>
  );
}
