/** Processes that may not lead a group because its lease is another broker's, and the way out. */
import type { Group } from "../api/types";
import css from "../routes/page.module.css";
import { Text } from "../ui/Text";
import { Time } from "../ui/Time";

export function Refusals({ group }: { group: Group }) {
  if (group.refused.length === 0) return null;
  return (
    <div role="note" aria-label="refused">
      <ul className={css.bad}>
        {group.refused.map((one) => (
          <li key={one.agent}>
            <Text value={one.host} limit={120} />
            {one.pid !== null && ` · ${one.pid}`} is refused, told{" "}
            <Time at={one.since} form="distance" />: <Text value={one.why ?? ""} limit={400} /> (
            <Text value={one.code} limit={64} />)
          </li>
        ))}
      </ul>
      <p className={css.muted}>
        Two brokers share the name <Text value={group.app} limit={128} />, and its schedules are
        fired on the first one only. Give each broker its own Z4J_APP; after a move to a new broker,
        a lease store of its own there (Z4J_LEASE_STORE).
      </p>
    </div>
  );
}
