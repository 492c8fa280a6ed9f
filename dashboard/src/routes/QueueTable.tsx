/** Queues as a table; the short form leads the Now page. */
import { Link } from "@tanstack/react-router";
import type { Queue } from "../api/types";
import { Sparkline } from "../charts/Sparkline";
import { count, DASH, drain, duration, rate } from "../ui/format";
import { Tag } from "../ui/parts";
import { Text } from "../ui/Text";
import css from "./page.module.css";

type Props = { project: string; queues: Queue[]; isShort?: boolean };

export function Busy({ busy, slots }: { busy: number | null; slots: number | null }) {
  if (busy === null || slots === null) return <span className={css.faint}>{DASH}</span>;
  return (
    <>
      <span className={css.busy} aria-hidden="true">
        <i style={{ width: `${slots > 0 ? (busy / slots) * 100 : 0}%` }} />
      </span>
      {busy}/{slots || DASH}
    </>
  );
}

function Depth({ queue }: { queue: Queue }) {
  if (queue.depth !== null) return count(queue.depth);
  const why = queue.depth_why ?? "not reported";
  return (
    <span className={css.faint} title={why}>
      {DASH} {why}
    </span>
  );
}

function Row({ project, queue, isShort }: { project: string; queue: Queue; isShort: boolean }) {
  const { engine, name } = queue;
  const neverDrains = queue.drain_s === "never";
  return (
    <tr>
      <td className={css.name}>
        <Link to="/p/$project/queues/$engine/$name" params={{ project, engine, name }} search={{}}>
          <Text value={name} limit={256} />
        </Link>{" "}
        {queue.paused && <Tag tone="warn">paused</Tag>}
      </td>
      {!isShort && <td className={`${css.muted} ${css.wide}`}>{engine}</td>}
      <td className={css.end}>
        <Depth queue={queue} />
      </td>
      <td className={`${css.spark} ${css.wide}`}>
        {queue.spark.length > 0 && (
          <Sparkline
            values={queue.spark.map((point) => point.depth)}
            height={18}
            label={`depth of ${name} over time`}
          />
        )}
      </td>
      <td className={css.end}>{duration(queue.oldest_us)}</td>
      <td className={`${css.end} ${css.muted}`}>{rate(queue.in_per_s)}</td>
      <td className={`${css.end} ${css.muted}`}>{rate(queue.out_per_s)}</td>
      <td className={`${css.end} ${neverDrains ? css.bad : ""}`}>{drain(queue.drain_s)}</td>
      <td className={`${css.wide} ${css.busyCell}`}>
        <Busy busy={queue.busy} slots={queue.slots} />
      </td>
      {!isShort && (
        <>
          <td className={`${css.end} ${css.wide}`}>{count(queue.consumers)}</td>
          <td className={`${css.end} ${css.wide}`}>{count(queue.scheduled)}</td>
          <td className={`${css.end} ${css.wide} ${queue.dead ? css.bad : ""}`}>
            {count(queue.dead)}
          </td>
        </>
      )}
    </tr>
  );
}

export function QueueTable({ project, queues, isShort = false }: Props) {
  return (
    <div className={css.wrap}>
      <table className={css.table} data-short={isShort || undefined}>
        <thead>
          <tr>
            <th>queue</th>
            {!isShort && <th className={css.wide}>engine</th>}
            <th className={css.end}>depth</th>
            <th className={css.wide}>
              <span className="sr">depth over time</span>
            </th>
            <th className={css.end}>oldest</th>
            <th className={css.end}>in/s</th>
            <th className={css.end}>out/s</th>
            <th className={css.end}>to drain</th>
            <th className={css.wide}>busy</th>
            {!isShort && (
              <>
                <th className={`${css.end} ${css.wide}`}>consumers</th>
                <th className={`${css.end} ${css.wide}`}>scheduled</th>
                <th className={`${css.end} ${css.wide}`}>dead</th>
              </>
            )}
          </tr>
        </thead>
        <tbody>
          {queues.map((queue) => (
            <Row
              key={`${queue.engine}/${queue.app}/${queue.name}`}
              project={project}
              queue={queue}
              isShort={isShort}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}
