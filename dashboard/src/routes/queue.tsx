/** One queue: pressure over time, what waits, and the acts on it. */
import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { useMemo } from "react";
import { openSheet } from "../actions/sheet";
import { peek, queues } from "../api/queries";
import type { ActionName, Queue } from "../api/types";
import { LazyChart } from "../charts/LazyChart";
import { only } from "../query/edit";
import { useProject } from "../shell/search";
import { Value } from "../task/Args";
import { CanButton } from "../task/CanButton";
import { plain } from "../ui/escape";
import { count, drain, duration, rate } from "../ui/format";
import { Empty, ErrorView, Skeleton, Tag } from "../ui/parts";
import { Text } from "../ui/Text";
import css from "./page.module.css";
import { Busy } from "./QueueTable";
import { useLiveQueues } from "./queues";

function act(action: ActionName, queue: Queue): () => void {
  const { engine, app, name } = queue;
  return () =>
    openSheet({ action, title: `queue ${plain(name)}`, targets: [{ engine, app, queue: name }] });
}

function Waiting({ project, queue }: { project: string; queue: Queue }) {
  const { data, error } = useQuery({
    ...peek(project, queue.engine, queue.name),
    enabled: queue.can.peek.ok,
  });
  if (!queue.can.peek.ok) {
    return (
      <p className={css.faint}>
        {queue.can.peek.why} {queue.can.peek.fix}
      </p>
    );
  }
  if (error) return <ErrorView error={error} />;
  if (!data) return <Skeleton rows={3} />;
  if (data.items.length === 0) return <p className={css.faint}>{data.why ?? "Nothing waits."}</p>;
  return (
    <table className={css.table}>
      <tbody>
        {data.items.map((item) => (
          <tr key={item.id}>
            <td className={css.name}>
              <Text value={item.task} limit={256} />
            </td>
            <td>
              <Value preview={item.args} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function DepthChart({ queue }: { queue: Queue }) {
  const at = useMemo(() => queue.spark.map((point) => point.at), [queue.spark]);
  const lines = useMemo(
    () => [
      {
        label: "depth",
        token: "--z-accent",
        values: queue.spark.map((point) => point.depth),
        scale: "n" as const,
        form: count,
        kind: "area" as const,
      },
    ],
    [queue.spark],
  );
  if (at.length === 0)
    return <p className={css.faint}>{queue.depth_why ?? "No depth has been reported yet."}</p>;
  return <LazyChart at={at} lines={lines} height={170} label="depth over time" />;
}

export function QueuePage() {
  const project = useProject();
  const { engine = "", name = "" } = useParams({ strict: false });
  useLiveQueues(project);
  const { data, error } = useQuery(queues(project));
  if (error && !data) return <ErrorView error={error} />;
  if (!data) return <Skeleton />;
  const queue = data.items.find((one) => one.engine === engine && one.name === name);
  if (!queue) return <Empty title={`No queue ${plain(name)} has been reported`} />;
  return (
    <div className={css.page}>
      <header className={css.head}>
        <h1>
          <Text value={name} limit={256} />
        </h1>
        <span>{engine}</span>
        {queue.paused && <Tag tone="warn">paused</Tag>}
        <span className={css.gap} />
        {queue.paused ? (
          <CanButton
            can={queue.can.resume}
            icon="play"
            tone="primary"
            onClick={act("resume", queue)}
          >
            Resume
          </CanButton>
        ) : (
          <CanButton can={queue.can.pause} icon="pause" onClick={act("pause", queue)}>
            Pause
          </CanButton>
        )}
        <CanButton can={queue.can.purge} icon="trash" onClick={act("purge", queue)}>
          Purge
        </CanButton>
      </header>
      <div className={css.totals}>
        <span>
          <b>{queue.depth === null ? "—" : count(queue.depth)}</b> deep
        </span>
        <span>
          oldest <b>{duration(queue.oldest_us)}</b>
        </span>
        <span>
          in <b>{rate(queue.in_per_s)}</b>/s
        </span>
        <span>
          out <b>{rate(queue.out_per_s)}</b>/s
        </span>
        <span>
          drains in <b>{drain(queue.drain_s)}</b>
        </span>
        <span>
          <Busy busy={queue.busy} slots={queue.slots} /> busy
        </span>
        <Link to="/p/$project/tasks" params={{ project }} search={{ q: only("", "queue", name) }}>
          its tasks
        </Link>
      </div>
      <section className={css.section}>
        <h2>depth</h2>
        <DepthChart queue={queue} />
      </section>
      <section className={css.section}>
        <h2>waiting, first 50</h2>
        <Waiting project={project} queue={queue} />
      </section>
    </div>
  );
}
