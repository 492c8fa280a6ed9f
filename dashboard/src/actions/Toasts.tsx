/** One toast per act: countdown with undo, then progress, then the result. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useCallback, useEffect, useState } from "react";
import { Problem } from "../api/http";
import { type BulkVerb, bulkItems, bulks as bulkList, bulkVerb } from "../api/queries";
import type { Bulk } from "../api/types";
import { useLive } from "../live/context";
import { useProject } from "../shell/search";
import { brainNow } from "../ui/clock";
import { count, plural } from "../ui/format";
import { say } from "../ui/notice";
import { Button } from "../ui/parts";
import { Text } from "../ui/Text";
import { PAST, VERB } from "./sheet";
import { dismissBulk, isOver, updateBulk, useBulks } from "./toasts";
import css from "./toasts.module.css";

const BAD = ["refused", "failed", "expired", "indeterminate", "skipped"];

export function resultOf(bulk: Bulk): string {
  if (bulk.state === "undone") return `Undone: ${plural(bulk.total, "task")} left as they were`;
  const done = (bulk.counts.done ?? 0) + (bulk.counts.accepted ?? 0);
  const rest = BAD.flatMap((name) => {
    const n = bulk.counts[name] ?? 0;
    return n > 0 ? [`${count(n)} ${name}`] : [];
  });
  const head = `${count(done)} ${PAST[bulk.action] ?? "done"}`;
  return [bulk.state === "aborted" ? `Aborted, ${head}` : head, ...rest].join(" · ");
}

function useSeconds(until: number | null): number {
  const [left, setLeft] = useState(() => Math.max(0, ((until ?? 0) - brainNow()) / 1000));
  useEffect(() => {
    if (until === null) return undefined;
    const timer = setInterval(() => setLeft(Math.max(0, (until - brainNow()) / 1000)), 200);
    return () => clearInterval(timer);
  }, [until]);
  return left;
}

function Held({ bulk, act }: { bulk: Bulk; act: (verb: BulkVerb) => void }) {
  const left = useSeconds(bulk.hold_until_at);
  return (
    <>
      <span className={css.text}>
        {VERB[bulk.action] ?? bulk.action} {plural(bulk.total, "target")} in{" "}
        <b>{Math.round(left)} s</b>
      </span>
      <Button tone="primary" onClick={() => act("undo")}>
        Undo
      </Button>
      <Button tone="quiet" onClick={() => act("now")}>
        Do it now
      </Button>
      <span className={css.meter} style={{ width: `${Math.min(100, (left / 8) * 100)}%` }} />
    </>
  );
}

function Going({ bulk, act }: { bulk: Bulk; act: (verb: BulkVerb) => void }) {
  const left = (bulk.counts.held ?? 0) + (bulk.counts.sent ?? 0) + (bulk.counts.sealed ?? 0);
  const finished = Math.max(0, bulk.total - left);
  return (
    <>
      <span className={css.text}>
        {VERB[bulk.action] ?? bulk.action}: {count(finished)} of {count(bulk.total)}
        {bulk.state === "paused" && " · paused"}
      </span>
      <Button tone="quiet" onClick={() => act("abort")}>
        Abort
      </Button>
      <span
        className={css.meter}
        style={{ width: `${(finished / Math.max(1, bulk.total)) * 100}%` }}
      />
    </>
  );
}

/** Why the only target was not touched; a bulk of many has its own page for that. */
function Why({ project, bulk }: { project: string; bulk: Bulk }) {
  const isAsked =
    bulk.total === 1 && bulk.state === "done" && BAD.some((name) => (bulk.counts[name] ?? 0) > 0);
  const { data } = useQuery({ ...bulkItems(project, bulk.id, ""), enabled: isAsked });
  const item = isAsked ? data?.items[0] : undefined;
  if (!item?.detail && !item?.code) return null;
  return (
    <span className={css.why}>
      <Text value={item.detail ?? item.code} limit={300} />
    </span>
  );
}

function Toast({ project, bulk }: { project: string; bulk: Bulk }) {
  const act = (verb: BulkVerb) =>
    void bulkVerb(project, bulk.id, verb).then(
      (next) => next && updateBulk(next),
      (error: unknown) => say(error instanceof Problem ? error.detail : String(error), "bad"),
    );
  return (
    <div className={css.toast} data-testid="toast" data-state={bulk.state}>
      {bulk.state === "held" && <Held bulk={bulk} act={act} />}
      {(bulk.state === "running" || bulk.state === "paused") && <Going bulk={bulk} act={act} />}
      {isOver(bulk) && (
        <span className={css.text}>
          {resultOf(bulk)}
          <Why project={project} bulk={bulk} />
        </span>
      )}
      <Link
        to="/p/$project/actions/$bulk"
        params={{ project, bulk: bulk.id }}
        search={{}}
        className={css.link}
      >
        Details
      </Link>
      {isOver(bulk) && (
        <Button
          tone="quiet"
          icon="close"
          aria-label="dismiss"
          onClick={() => dismissBulk(bulk.id)}
        />
      )}
    </div>
  );
}

export function Toasts() {
  const project = useProject();
  const client = useQueryClient();
  const bulks = useBulks();
  const { data } = useQuery({ ...bulkList(project), staleTime: 60_000 });
  useEffect(() => {
    for (const bulk of data?.items ?? []) if (!isOver(bulk)) updateBulk(bulk);
  }, [data]);
  useLive(
    "bulk",
    useCallback(
      (event) => {
        const bulk = event as Bulk;
        updateBulk(bulk);
        client.setQueryData([project, "bulk", bulk.id], bulk);
      },
      [client, project],
    ),
  );
  return (
    <div className={css.toasts} role="status" aria-live="polite">
      {bulks.map((bulk) => (
        <Toast key={bulk.id} project={project} bulk={bulk} />
      ))}
    </div>
  );
}
