/** Every revision with what it changed; an old one can be restored. */
import { useMutation, useQuery } from "@tanstack/react-query";
import { restoreSchedule, revisions } from "../api/scheduleQueries";
import type { Json, Schedule } from "../api/types";
import css from "../routes/page.module.css";
import { CanButton } from "../task/CanButton";
import { say } from "../ui/notice";
import { ErrorView, Skeleton } from "../ui/parts";
import { Text } from "../ui/Text";
import { Time } from "../ui/Time";
import { useRefreshed } from "./acts/act";
import own from "./schedule.module.css";

function shown(value: Json): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function Change({ field, before, after }: { field: string; before: Json; after: Json }) {
  return (
    <div className={own.change}>
      <code>{field}</code>
      <code>
        {before !== null && before !== undefined && (
          <del>
            <Text value={shown(before)} limit={600} />
          </del>
        )}{" "}
        {after !== null && after !== undefined && (
          <ins>
            <Text value={shown(after)} limit={600} />
          </ins>
        )}
      </code>
    </div>
  );
}

export function Revisions({ project, schedule }: { project: string; schedule: Schedule }) {
  const { data, error } = useQuery(revisions(project, schedule.id));
  const refreshed = useRefreshed(project);
  const restore = useMutation({
    mutationFn: (to: number) => restoreSchedule(project, schedule.id, schedule.revision, to),
    onSuccess: (next) => {
      say(`Restored as revision ${next.revision}`);
      refreshed();
    },
  });
  if (error && !data) return <ErrorView error={error} />;
  if (!data) return <Skeleton rows={3} />;
  return (
    <div className={css.wrap}>
      <table className={css.table} data-stack>
        <thead>
          <tr>
            <th>revision</th>
            <th>when</th>
            <th>by</th>
            <th>what</th>
            <th>
              <span className="sr">restore</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {data.items.map((one) => (
            <tr key={one.revision}>
              <td className={css.name}>{one.revision}</td>
              <td className={css.muted}>
                <Time at={one.at} form="distance" />
              </td>
              <td className={css.muted}>
                <Text value={one.by ?? "the brain"} limit={120} />
              </td>
              <td className={own.changes}>
                {one.changes.length === 0 && <span className={css.faint}>made</span>}
                {one.changes.map((change) => (
                  <Change key={change.field} {...change} />
                ))}
              </td>
              <td className={css.end}>
                {one.revision === schedule.revision ? (
                  <span className={css.faint}>now</span>
                ) : (
                  <CanButton
                    can={schedule.can.edit}
                    tone="quiet"
                    onClick={() => restore.mutate(one.revision)}
                  >
                    Restore
                  </CanButton>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
