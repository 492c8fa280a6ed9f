/** What became of each slot, newest first. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { firePage } from "../api/scheduleQueries";
import type { Can, Fire, Schedule } from "../api/types";
import { usePace } from "../live/context";
import css from "../routes/page.module.css";
import { CanButton } from "../task/CanButton";
import { count, DASH, duration } from "../ui/format";
import { Button, Empty, ErrorView, Skeleton } from "../ui/parts";
import { StateIcon } from "../ui/StateIcon";
import { Text } from "../ui/Text";
import { Time } from "../ui/Time";
import { OutcomeMark } from "./FireStrip";
import { wallText } from "./marks";
import { outcomeOf, statusWords, triggerWords } from "./outcome";
import own from "./schedule.module.css";

const STATUSES: [value: string, label: string][] = [
  ["", "all"],
  ["sent", "sent"],
  ["missed", "missed"],
  ["skipped", "skipped"],
  ["failed", "could not be sent"],
  ["refused", "refused"],
  ["expired", "too late"],
  ["duplicate_suppressed", "duplicates suppressed"],
];
const PACE_MS = 5000;

function utcText(at: number): string {
  return new Date(at).toISOString().slice(0, 19).replace("T", " ");
}

type RowProps = {
  project: string;
  fire: Fire;
  graceMs: number;
  canReplay: Can;
  onReplay: () => void;
};

function Row({ project, fire, graceMs, canReplay, onReplay }: RowProps) {
  const outcome = outcomeOf({ ...fire, state: fire.task?.state ?? null }, graceMs);
  return (
    <tr data-status={fire.status}>
      <td className={css.name} title={`${utcText(fire.slot_ms)} UTC`}>
        {fire.slot_local && wallText(fire.slot_local)}
        {fire.fold > 0 && <small> second</small>}{" "}
        <span className={fire.slot_local ? own.faint : undefined}>
          {utcText(fire.slot_ms).slice(0, fire.slot_ms % 60_000 === 0 ? 16 : 19)} UTC
        </span>
      </td>
      <td className={css.wide}>
        <Time at={fire.due} />
      </td>
      <td className={css.end} data-name="lag">
        {fire.sent === null || fire.lag_ms === null ? DASH : duration(fire.lag_ms * 1000)}
      </td>
      <td>
        <span className={own.outcome}>
          <OutcomeMark outcome={outcome} />
          {statusWords(fire.status)}
          {fire.count > 1 && ` · ${count(fire.count)} slots`}
        </span>
        {fire.reason && (
          <span className={css.muted}>
            {" "}
            · <Text value={fire.reason} limit={256} />
          </span>
        )}
      </td>
      <td className={css.muted}>
        {triggerWords(fire.trigger)}
        {fire.actor && (
          <>
            {" "}
            · <Text value={fire.actor} limit={120} />
          </>
        )}
      </td>
      <td>
        {fire.task ? (
          <Link
            to="/p/$project/t/$ref"
            params={{ project, ref: fire.task.ref }}
            search={{}}
            className={own.outcome}
          >
            <StateIcon state={fire.task.state} label />
          </Link>
        ) : (
          <span className={css.faint}>{DASH}</span>
        )}
      </td>
      <td className={`${css.end} ${css.wide} ${css.muted}`}>{fire.epoch}</td>
      <td className={css.end}>
        <span className={own.acts}>
          <CanButton
            can={canReplay}
            icon="retry"
            tone="quiet"
            label={`replay the slot ${fire.slot_local || utcText(fire.slot_ms)}`}
            onClick={onReplay}
          />
        </span>
      </td>
    </tr>
  );
}

type Props = { project: string; schedule: Schedule; replay: (s: Schedule, fire: Fire) => void };

export function FireHistory({ project, schedule, replay }: Props) {
  const [status, setStatus] = useState("");
  const found = useInfiniteQuery({
    queryKey: [project, `/schedules/${schedule.id}/fires`, status],
    queryFn: ({ pageParam, signal }) => firePage(project, schedule.id, status, pageParam, signal),
    initialPageParam: "",
    getNextPageParam: (last) => last.next ?? undefined,
    refetchInterval: usePace(PACE_MS),
  });
  const filter = (
    <label className={css.form}>
      <span className={css.faint}>status</span>
      <select value={status} className={css.input} onChange={(e) => setStatus(e.target.value)}>
        {STATUSES.map(([value, label]) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </select>
    </label>
  );
  if (found.error && !found.data) return <ErrorView error={found.error} />;
  if (!found.data) return <Skeleton rows={5} />;
  const fires = found.data.pages.flatMap((page) => page.items);
  if (fires.length === 0) {
    return status ? (
      <>
        {filter}
        <Empty title="0 fires match" />
      </>
    ) : (
      <p className={css.faint}>It has not fired yet.</p>
    );
  }
  return (
    <>
      {filter}
      <div className={css.wrap}>
        <table className={css.table} data-stack>
          <thead>
            <tr>
              <th>slot, in its zone and UTC</th>
              <th className={css.wide}>due</th>
              <th className={css.end}>lag</th>
              <th>status</th>
              <th>why</th>
              <th>task</th>
              <th className={`${css.end} ${css.wide}`}>epoch</th>
              <th>
                <span className="sr">replay</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {fires.map((fire) => (
              <Row
                key={fire.fire_id}
                project={project}
                fire={fire}
                graceMs={schedule.grace_s * 1000}
                canReplay={schedule.can.fire}
                onReplay={() => replay(schedule, fire)}
              />
            ))}
          </tbody>
        </table>
      </div>
      {found.hasNextPage && (
        <Button tone="quiet" onClick={() => void found.fetchNextPage()}>
          Older fires
        </Button>
      )}
    </>
  );
}
