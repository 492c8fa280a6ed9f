/** One bulk: progress, counts, and every item with its evidence. */
import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { VERB } from "../actions/sheet";
import { isOver, updateBulk } from "../actions/toasts";
import { type BulkVerb, bulkItems, bulk as bulkQuery, bulkVerb } from "../api/queries";
import type { Bulk, BulkItem } from "../api/types";
import { useView } from "../live/context";
import { useProject, useUrl } from "../shell/search";
import { count, shortId } from "../ui/format";
import { say } from "../ui/notice";
import { Button, ErrorView, Skeleton, Tag } from "../ui/parts";
import { Text } from "../ui/Text";
import { Time } from "../ui/Time";
import { BulkStateTag } from "./actions";
import css from "./page.module.css";
import { useRefresh } from "./workers";

const GOOD = ["done", "accepted"];
const BAD = ["failed", "refused", "indeterminate", "expired"];
const WAITS = ["held", "sealed", "sent"];

function toneOf(state: string): "good" | "warn" | "bad" | undefined {
  if (GOOD.includes(state)) return "good";
  if (BAD.includes(state)) return "bad";
  return state === "skipped" ? "warn" : undefined;
}

const COLOUR = {
  good: "var(--z-state-succeeded)",
  bad: "var(--z-state-failed)",
  warn: "var(--z-state-retrying)",
};

function Progress({ bulk }: { bulk: Bulk }) {
  const counts = Object.entries(bulk.counts).filter(([, n]) => (n ?? 0) > 0) as [string, number][];
  const ended = counts.filter(([state]) => !WAITS.includes(state));
  return (
    <section className={css.section}>
      <div className={css.totals} style={{ paddingInline: 0, background: "none", border: 0 }}>
        {counts.map(([state, n]) => (
          <span key={state}>
            <b>{count(n)}</b> {state}
          </span>
        ))}
        {bulk.rate !== null && !isOver(bulk) && <span>{count(bulk.rate)}/s</span>}
      </div>
      <div
        className={css.progress}
        role="progressbar"
        aria-valuenow={ended.reduce((sum, [, n]) => sum + n, 0)}
        aria-valuemax={bulk.total}
        aria-label="progress"
      >
        {ended.map(([state, n]) => (
          <i
            key={state}
            style={{
              width: `${(n / Math.max(1, bulk.total)) * 100}%`,
              background: COLOUR[toneOf(state) ?? "warn"],
            }}
          />
        ))}
      </div>
    </section>
  );
}

function Item({ project, item }: { project: string; item: BulkItem }) {
  return (
    <tr>
      <td>
        <Tag tone={toneOf(item.state)}>{item.state}</Tag>
      </td>
      <td className={css.name}>
        {item.ref ? (
          <Link to="/p/$project/t/$ref" params={{ project, ref: item.ref }} search={{}}>
            <Text value={item.task ?? item.id} limit={256} />
          </Link>
        ) : (
          <Text value={item.task ?? item.id} limit={256} />
        )}
      </td>
      <td className={css.muted}>
        <code>
          <Text value={item.id ? shortId(item.id) : ""} />
        </code>
      </td>
      <td className={css.muted}>
        <Text value={item.detail} limit={400} /> {item.code && <code>{item.code}</code>}
      </td>
      <td>
        {item.new_ref && (
          <Link to="/p/$project/t/$ref" params={{ project, ref: item.new_ref }} search={{}}>
            new task <code>{shortId(item.new_id ?? "")}</code>
          </Link>
        )}
      </td>
    </tr>
  );
}

function Verbs({ project, bulk }: { project: string; bulk: Bulk }) {
  const act = (verb: BulkVerb) => () =>
    void bulkVerb(project, bulk.id, verb).then(
      (next) => next && updateBulk(next),
      (error: Error) => say(error.message, "bad"),
    );
  const hasFailed = BAD.some((state) => (bulk.counts[state] ?? 0) > 0);
  return (
    <>
      {bulk.state === "held" && (
        <>
          <Button tone="primary" onClick={act("undo")}>
            Undo
          </Button>
          <Button onClick={act("now")}>Do it now</Button>
        </>
      )}
      {bulk.state === "running" && (
        <Button icon="pause" onClick={act("pause")}>
          Pause
        </Button>
      )}
      {bulk.state === "paused" && (
        <Button icon="play" onClick={act("resume")}>
          Resume
        </Button>
      )}
      {(bulk.state === "running" || bulk.state === "paused") && (
        <Button onClick={act("abort")}>Abort</Button>
      )}
      {isOver(bulk) && hasFailed && (
        <Button icon="retry" onClick={act("retry-failed")}>
          Try the failed ones again
        </Button>
      )}
    </>
  );
}

export function BulkPage() {
  const project = useProject();
  const { bulk: id = "" } = useParams({ strict: false });
  const { range } = useUrl();
  const pace = useRefresh();
  useView({ project, view: "bulk", q: "", range });
  const { data: bulk, error } = useQuery({
    ...bulkQuery(project, id),
    refetchInterval: (query) => (query.state.data && !isOver(query.state.data) ? pace : false),
  });
  const items = useQuery({
    ...bulkItems(project, id, ""),
    refetchInterval: bulk && !isOver(bulk) ? pace : false,
  });
  if (error && !bulk) return <ErrorView error={error} />;
  if (!bulk) return <Skeleton />;
  return (
    <div className={css.page}>
      <header className={css.head}>
        <h1>
          {VERB[bulk.action] ?? bulk.action} {count(bulk.total)}
        </h1>
        <BulkStateTag state={bulk.state} />
        <span>
          <Text value={bulk.by ?? ""} limit={120} /> · <Time at={bulk.created_at} form="distance" />
        </span>
        {bulk.reason && (
          <span>
            “<Text value={bulk.reason} limit={300} />”
          </span>
        )}
        {bulk.q && (
          <Link to="/p/$project/tasks" params={{ project }} search={{ q: bulk.q }}>
            <code>
              <Text value={bulk.q} limit={200} />
            </code>
          </Link>
        )}
        <span className={css.gap} />
        <Verbs project={project} bulk={bulk} />
      </header>
      <Progress bulk={bulk} />
      {items.error && <ErrorView error={items.error} />}
      <div className={css.wrap}>
        <table className={css.table}>
          <thead>
            <tr>
              <th>state</th>
              <th>task</th>
              <th>id</th>
              <th>why</th>
              <th>led to</th>
            </tr>
          </thead>
          <tbody>
            {(items.data?.items ?? []).map((item) => (
              <Item key={item.idx} project={project} item={item} />
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}
