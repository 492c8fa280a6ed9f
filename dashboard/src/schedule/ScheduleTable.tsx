/** Schedules as a table; on a phone a card each. */
import { Link } from "@tanstack/react-router";
import { memo, useEffect, useRef } from "react";
import type { Schedule, TaskState } from "../api/types";
import { useRowsSeen } from "../grid/useRowsSeen";
import { wantsMore } from "../grid/window";
import css from "../routes/page.module.css";
import { CanButton } from "../task/CanButton";
import { plain } from "../ui/escape";
import { DASH, duration } from "../ui/format";
import { useIsNarrow } from "../ui/media";
import { Tag } from "../ui/parts";
import { STATES, StateIcon } from "../ui/StateIcon";
import { Text } from "../ui/Text";
import type { Acts } from "./acts/useActs";
import { FireStrip } from "./FireStrip";
import own from "./schedule.module.css";
import { NextFire } from "./When";

export function LastResult({ schedule }: { schedule: Schedule }) {
  const { last_result, consecutive_failures } = schedule;
  if (last_result === null) return <span className={css.faint}>{DASH}</span>;
  const failures = consecutive_failures > 1 ? `${consecutive_failures} in a row` : undefined;
  if ((STATES as string[]).includes(last_result)) {
    return (
      <span className={own.outcome}>
        <StateIcon state={last_result as TaskState} label note={failures} />
      </span>
    );
  }
  return (
    <>
      {last_result.replaceAll("_", " ")} {failures}
    </>
  );
}

function RowActs({ schedule, acts }: { schedule: Schedule; acts: Acts }) {
  const { can, paused } = schedule;
  return (
    <span className={own.acts}>
      <CanButton
        can={can.fire}
        icon="actions"
        tone="quiet"
        label={`fire ${plain(schedule.name)} now`}
        onClick={() => acts.fire(schedule)}
      />
      {paused ? (
        <CanButton
          can={can.resume}
          icon="play"
          tone="quiet"
          label={`resume ${plain(schedule.name)}`}
          onClick={() => acts.resume(schedule)}
        />
      ) : (
        <CanButton
          can={can.pause}
          icon="pause"
          tone="quiet"
          label={`pause ${plain(schedule.name)}`}
          onClick={() => acts.pause(schedule)}
        />
      )}
    </span>
  );
}

type RowProps = {
  project: string;
  schedule: Schedule;
  index: number;
  isActive: boolean;
  acts: Acts;
};

const Row = memo(function Row({ project, schedule, index, isActive, acts }: RowProps) {
  const { engine, task, id } = schedule;
  return (
    <tr aria-rowindex={index + 2} data-active={isActive || undefined} data-schedule={schedule.name}>
      <td className={css.name}>
        <Link to="/p/$project/schedules/$id" params={{ project, id }} search={{}}>
          <Text value={schedule.name} limit={200} />
        </Link>{" "}
        {schedule.drift.length > 0 && (
          <span title="edited since a file declared it">
            <Tag tone="warn">drift</Tag>
          </span>
        )}
      </td>
      <td className={own.nextCell}>
        <NextFire schedule={schedule} />
      </td>
      <td className={`${css.muted} ${own.whenCell}`} title={plain(schedule.words)}>
        <Text value={schedule.words} limit={400} />
      </td>
      <td className={css.wide}>
        <Link
          to="/p/$project/catalog/$engine/$name"
          params={{ project, engine, name: task }}
          search={{}}
        >
          <Text value={task} limit={200} />
        </Link>
      </td>
      <td className={`${css.muted} ${css.wide} ${own.spare}`}>
        {engine}
        {schedule.queue && (
          <>
            {" "}
            / <Text value={schedule.queue} limit={120} />
          </>
        )}
      </td>
      <td className={own.lastCell}>
        <LastResult schedule={schedule} />
      </td>
      <td className={own.stripCell}>
        <FireStrip strip={schedule.strip} graceS={schedule.grace_s} />
      </td>
      <td className={`${css.end} ${css.wide}`}>
        {duration(schedule.lag_p95_ms === null ? null : schedule.lag_p95_ms * 1000)}
      </td>
      <td className={`${css.muted} ${css.wide} ${own.spare} ${own.owner}`}>
        <Text value={schedule.owner} limit={80} />
      </td>
      <td className={`${css.end} ${own.actsCell}`}>
        <RowActs schedule={schedule} acts={acts} />
      </td>
    </tr>
  );
});

type Props = {
  project: string;
  schedules: Schedule[];
  total: number;
  active: number;
  acts: Acts;
  onMore?: () => void;
};

/** Rows near the viewport exist, the others are height; on a phone cards differ in height and all exist. */
export function ScheduleTable({ project, schedules, total, active, acts, onMore }: Props) {
  const body = useRef<HTMLTableSectionElement>(null);
  const isCards = useIsNarrow();
  const seen = useRowsSeen(body, schedules.length, isCards, active);
  const { from, to, rowHeight } = seen;
  useEffect(() => {
    if (onMore && wantsMore(seen, schedules.length)) onMore();
  }, [onMore, seen, schedules.length]);
  return (
    <div className={isCards ? css.wrap : undefined}>
      <table
        className={`${css.table} ${own.list}`}
        data-stack
        aria-rowcount={total + 1}
        aria-label="schedules"
      >
        <thead>
          <tr>
            <th className={own.nameHead}>name</th>
            <th className={own.nextHead}>next fire</th>
            <th>when</th>
            <th className={`${css.wide} ${own.taskHead}`}>definition</th>
            <th className={`${css.wide} ${own.spare}`}>engine / queue</th>
            <th className={own.lastHead}>last result</th>
            <th className={own.stripHead}>newest fires</th>
            <th className={`${css.end} ${css.wide} ${own.lagHead}`}>p95 lag</th>
            <th className={`${css.wide} ${own.spare} ${own.owner}`}>owner</th>
            <th className={own.actsHead}>
              <span className="sr">actions</span>
            </th>
          </tr>
        </thead>
        <tbody ref={body}>
          <Gap height={from * rowHeight} />
          {schedules.slice(from, to).map((schedule, at) => (
            <Row
              key={schedule.id}
              project={project}
              schedule={schedule}
              index={from + at}
              isActive={from + at === active}
              acts={acts}
            />
          ))}
          <Gap height={(schedules.length - to) * rowHeight} />
        </tbody>
      </table>
    </div>
  );
}

function Gap({ height }: { height: number }) {
  if (height <= 0) return null;
  return (
    <tr className={own.space}>
      <td colSpan={10} style={{ height }} />
    </tr>
  );
}
