/** Schedules as a table; on a phone a card each. */
import { Link } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import type { Schedule, TaskState } from "../api/types";
import css from "../routes/page.module.css";
import { CanButton } from "../task/CanButton";
import { DASH, duration } from "../ui/format";
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
        label={`fire ${schedule.name} now`}
        onClick={() => acts.fire(schedule)}
      />
      {paused ? (
        <CanButton
          can={can.resume}
          icon="play"
          tone="quiet"
          label={`resume ${schedule.name}`}
          onClick={() => acts.resume(schedule)}
        />
      ) : (
        <CanButton
          can={can.pause}
          icon="pause"
          tone="quiet"
          label={`pause ${schedule.name}`}
          onClick={() => acts.pause(schedule)}
        />
      )}
    </span>
  );
}

type RowProps = { project: string; schedule: Schedule; isActive: boolean; acts: Acts };

function Row({ project, schedule, isActive, acts }: RowProps) {
  const row = useRef<HTMLTableRowElement>(null);
  useEffect(() => {
    if (isActive) row.current?.scrollIntoView({ block: "nearest" });
  }, [isActive]);
  const { engine, task, id } = schedule;
  return (
    <tr ref={row} data-active={isActive || undefined} data-schedule={schedule.name}>
      <td className={css.name}>
        <Link to="/p/$project/schedules/$id" params={{ project, id }} search={{}}>
          <Text value={schedule.name} limit={200} />
        </Link>{" "}
        {schedule.drift.length > 0 && <Tag tone="warn">edited since declared</Tag>}
      </td>
      <td className={own.nextCell}>
        <NextFire schedule={schedule} />
      </td>
      <td className={`${css.muted} ${own.whenCell}`} title={schedule.words}>
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
      <td className={`${css.muted} ${css.wide} ${own.spare}`}>
        <Text value={schedule.owner} limit={80} />
      </td>
      <td className={`${css.end} ${own.actsCell}`}>
        <RowActs schedule={schedule} acts={acts} />
      </td>
    </tr>
  );
}

type Props = { project: string; schedules: Schedule[]; active: number; acts: Acts };

export function ScheduleTable({ project, schedules, active, acts }: Props) {
  return (
    <div className={css.wrap}>
      <table className={`${css.table} ${own.list}`} data-stack>
        <thead>
          <tr>
            <th>name</th>
            <th>next fire</th>
            <th>when</th>
            <th className={css.wide}>definition</th>
            <th className={`${css.wide} ${own.spare}`}>engine / queue</th>
            <th>last result</th>
            <th>newest fires</th>
            <th className={`${css.end} ${css.wide}`}>p95 lag</th>
            <th className={`${css.wide} ${own.spare}`}>owner</th>
            <th>
              <span className="sr">actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {schedules.map((schedule, at) => (
            <Row
              key={schedule.id}
              project={project}
              schedule={schedule}
              isActive={at === active}
              acts={acts}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}
