/** Who fires the schedules of a group, and why nobody does. */
import { useQuery } from "@tanstack/react-query";
import { groups } from "../api/scheduleQueries";
import type { Schedule } from "../api/types";
import { usePace } from "../live/context";
import css from "../routes/page.module.css";
import { plural, shortId } from "../ui/format";
import { ErrorView, Skeleton } from "../ui/parts";
import { Text } from "../ui/Text";
import { Refusals } from "./Refusals";

function Behind({ edits }: { edits: number }) {
  return edits > 0 ? <span className={css.warn}> {plural(edits, "edit")} behind</span> : null;
}

export function Leaders({ project, schedule }: { project: string; schedule: Schedule }) {
  const { data, error } = useQuery({ ...groups(project), refetchInterval: usePace(5000) });
  if (error && !data) return <ErrorView error={error} />;
  if (!data) return <Skeleton rows={2} />;
  const group = data.items.find(
    (one) => one.engine === schedule.engine && one.app === schedule.app,
  );
  if (!group) {
    return (
      <p className={css.warn}>
        Nobody leads: no agent of {schedule.engine} · <Text value={schedule.app} limit={128} /> has
        connected yet. Start a worker with z4j beside it.
      </p>
    );
  }
  const { leader } = group;
  const lead = group.candidates.find((one) => one.is_leader);
  const refused = new Set(group.refused.map((one) => one.agent));
  const others = group.candidates.filter((one) => !one.is_leader && !refused.has(one.agent));
  return (
    <>
      {leader ? (
        <p>
          <Text value={leader.host ?? shortId(leader.owner)} limit={120} />
          {leader.pid !== null && ` · process ${leader.pid}`}{" "}
          <span className={css.faint}>
            leads · epoch {leader.epoch}
            {group.store && ` · lease in ${group.store}`}
          </span>
          {lead && <Behind edits={group.revision - lead.revision} />}
        </p>
      ) : group.candidates.length > 0 && group.why === null ? (
        others.length > 0 && (
          <p className={css.faint}>
            Who leads is known with the first fire: none has been told of.
          </p>
        )
      ) : (
        <p className={group.candidates.length > 0 ? css.faint : css.warn}>
          Nobody leads: <Text value={group.why ?? "there is no candidate"} limit={400} />.
        </p>
      )}
      <Refusals group={group} />
      {leader && group.why && (
        <p className={css.warn}>
          <Text value={group.why} limit={400} />
        </p>
      )}
      <ul>
        {others.map((one) => (
          <li key={one.agent}>
            <Text value={one.host} limit={120} />
            {one.pid !== null && ` · process ${one.pid}`}{" "}
            <span className={css.faint}>stands by</span>
            <Behind edits={group.revision - one.revision} />
          </li>
        ))}
      </ul>
      {group.candidates.length === 0 && (
        <p className={css.faint}>
          No process can lead: one is a candidate with a worker of this app, the policy level
          control or above, and Z4J_SCHEDULER not off.
        </p>
      )}
    </>
  );
}
