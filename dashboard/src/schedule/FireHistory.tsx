/** What became of each slot, newest first. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { firePage } from "../api/scheduleQueries";
import type { Fire, Schedule } from "../api/types";
import { usePace } from "../live/context";
import css from "../routes/page.module.css";
import { CanButton } from "../task/CanButton";
import { DASH } from "../ui/format";
import { Button, Empty, ErrorView, Skeleton } from "../ui/parts";
import { Time } from "../ui/Time";
import { FireRow, utcText } from "./FireRow";
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
              <FireRow
                key={fire.fire_id}
                project={project}
                fire={fire}
                graceMs={schedule.grace_s * 1000}
                due={
                  <td className={css.wide}>
                    <Time at={fire.due} />
                  </td>
                }
                tail={
                  <>
                    <td className={`${css.end} ${css.wide} ${css.muted}`}>{fire.epoch || DASH}</td>
                    <td className={css.end}>
                      <span className={own.acts}>
                        <CanButton
                          can={schedule.can.fire}
                          icon="retry"
                          tone="quiet"
                          label={`replay the slot ${fire.slot_local || utcText(fire.slot_ms)}`}
                          onClick={() => replay(schedule, fire)}
                        />
                      </span>
                    </td>
                  </>
                }
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
