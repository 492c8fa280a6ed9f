/** One definition: rates over time, percentiles, signature. */
import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { definition } from "../api/queries";
import type { Definition, Param } from "../api/types";
import { Throughput } from "../charts/Throughput";
import { usePace, useView } from "../live/context";
import { only } from "../query/edit";
import { useProject, useUrl } from "../shell/search";
import { Count } from "../ui/Count";
import { duration, percent } from "../ui/format";
import { ErrorView, Skeleton } from "../ui/parts";
import { Text } from "../ui/Text";
import { Time } from "../ui/Time";
import { Finding } from "./catalog";
import css from "./page.module.css";

function Signature({ params }: { params: Param[] | null }) {
  if (params === null)
    return <p className={css.faint}>The signature is not known: the engine does not report it.</p>;
  if (params.length === 0) return <p className={css.faint}>No parameters.</p>;
  return (
    <table className={css.table}>
      <thead>
        <tr>
          <th>parameter</th>
          <th>type</th>
          <th>default</th>
        </tr>
      </thead>
      <tbody>
        {params.map((param) => (
          <tr key={param.name}>
            <td>
              <code>
                <Text value={param.name} limit={120} />
              </code>
            </td>
            <td className={css.muted}>
              <code>
                <Text value={param.annotation ?? "—"} limit={120} />
              </code>
            </td>
            <td className={css.muted}>
              <code>
                <Text value={param.has_default ? (param.default ?? "—") : "required"} limit={120} />
              </code>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Rates({ row }: { row: Definition }) {
  return (
    <div className={css.totals}>
      <Count n={row.count} label="tasks" />
      <Count n={row.failed} label="failed" />
      <span>
        fail <b>{percent(row.fail_pct)}</b>
      </span>
      <span>
        p50 <b>{duration(row.p50_us)}</b>
      </span>
      <span>
        p95 <b>{duration(row.p95_us)}</b>
      </span>
      <span>
        p99 <b>{duration(row.p99_us)}</b>
      </span>
      <span>
        last failure <Time at={row.last_failure_at} form="distance" />
      </span>
    </div>
  );
}

export function DefinitionPage() {
  const project = useProject();
  const { range } = useUrl();
  const { engine = "", name = "" } = useParams({ strict: false });
  useView({ project, view: "now", q: "", range });
  const { data: row, error } = useQuery({
    ...definition(project, engine, name, range),
    refetchInterval: usePace(60_000),
  });
  if (error && !row) return <ErrorView error={error} />;
  if (!row) return <Skeleton />;
  return (
    <div className={css.page}>
      <header className={css.head}>
        <h1>
          <Text value={row.name} limit={256} />
        </h1>
        <span>{row.engine}</span>
        <Finding row={row} />
        <span className={css.gap} />
        <Link
          to="/p/$project/tasks"
          params={{ project }}
          search={{ q: only("", "task", row.name) }}
        >
          its tasks
        </Link>
      </header>
      <Rates row={row} />
      {row.doc && (
        <p className={css.doc}>
          <Text value={row.doc} multiline limit={4000} />
        </p>
      )}
      {row.series && row.series.series.length > 0 && (
        <section className={css.section}>
          <h2>over time</h2>
          <Throughput data={row.series} />
        </section>
      )}
      <section className={css.section}>
        <h2>signature</h2>
        <Signature params={row.params} />
      </section>
    </div>
  );
}
