/** What people, rules and tokens have done, newest first. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { PAST, VERB } from "../actions/sheet";
import { resultOf } from "../actions/Toasts";
import { isOver } from "../actions/toasts";
import { bulks } from "../api/queries";
import type { Bulk, BulkState } from "../api/types";
import { useView } from "../live/context";
import { useProject, useUrl } from "../shell/search";
import { count, plural } from "../ui/format";
import { Empty, ErrorView, Skeleton, Tag } from "../ui/parts";
import { Text } from "../ui/Text";
import { Time } from "../ui/Time";
import css from "./page.module.css";
import { useRefresh } from "./workers";

const TONE: Partial<Record<BulkState, "good" | "warn" | "bad">> = {
  done: "good",
  held: "warn",
  running: "warn",
  paused: "warn",
  aborted: "bad",
};

export function BulkStateTag({ state }: { state: BulkState }) {
  return <Tag tone={TONE[state]}>{state}</Tag>;
}

function Row({ project, bulk }: { project: string; bulk: Bulk }) {
  return (
    <tr>
      <td className={css.muted}>
        <Time at={bulk.created_at} form="distance" />
      </td>
      <td>
        <Text value={bulk.by ?? "—"} limit={120} /> <span className={css.faint}>{bulk.via}</span>
      </td>
      <td>
        <Link
          to="/p/$project/actions/$bulk"
          params={{ project, bulk: bulk.id }}
          search={{}}
          className={css.name}
        >
          {VERB[bulk.action] ?? bulk.action}
        </Link>
      </td>
      <td className={css.end}>{count(bulk.total)}</td>
      <td>
        <BulkStateTag state={bulk.state} />
      </td>
      <td className={css.muted}>{isOver(bulk) ? resultOf(bulk) : ""}</td>
      <td className={`${css.muted} ${css.wide}`}>
        <Text value={bulk.reason} limit={200} />
      </td>
    </tr>
  );
}

export function ActionsPage() {
  const project = useProject();
  const { range } = useUrl();
  const refetchInterval = useRefresh();
  useView({ project, view: "bulk", q: "", range });
  const { data, error } = useQuery({ ...bulks(project), refetchInterval });
  if (error && !data) return <ErrorView error={error} />;
  if (!data) return <Skeleton />;
  if (data.items.length === 0) {
    return (
      <Empty title="Nothing has been done yet">
        Tasks {PAST.retry} or {PAST.cancel} here will be listed with their results.
      </Empty>
    );
  }
  return (
    <div className={css.page}>
      <header className={css.head}>
        <h1>Actions</h1>
        <span>{plural(data.items.length, "action")}</span>
      </header>
      <div className={css.wrap}>
        <table className={css.table}>
          <thead>
            <tr>
              <th>when</th>
              <th>who</th>
              <th>action</th>
              <th className={css.end}>targets</th>
              <th>state</th>
              <th>result</th>
              <th className={css.wide}>reason</th>
            </tr>
          </thead>
          <tbody>
            {data.items.map((bulk) => (
              <Row key={bulk.id} project={project} bulk={bulk} />
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}
