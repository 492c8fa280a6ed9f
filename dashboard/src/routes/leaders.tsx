/** Who leads each group, since when and how well; who stands by, and why others cannot. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { me } from "../api/queries";
import { groups } from "../api/scheduleQueries";
import type { Group } from "../api/types";
import { usePace } from "../live/context";
import { quote } from "../query/tokenizer";
import { Head } from "../schedule/Head";
import { Move } from "../schedule/Move";
import own from "../schedule/places.module.css";
import { Refusals } from "../schedule/Refusals";
import { useProject } from "../shell/search";
import { plain } from "../ui/escape";
import { count, DASH, duration, plural, shortId } from "../ui/format";
import { Empty, ErrorView, Skeleton, Tag } from "../ui/parts";
import { Text } from "../ui/Text";
import { Time } from "../ui/Time";
import css from "./page.module.css";

const PACE_MS = 2000;

function millis(ms: number | null): string {
  return ms === null ? DASH : duration(ms * 1000);
}

function Lease({ group }: { group: Group }) {
  if (group.ttl_left_ms !== null) {
    return (
      <span>
        lease in this server, <b>{millis(group.ttl_left_ms)}</b> left
      </span>
    );
  }
  return (
    <span title="Agents keep it in the broker or a database of their own; they do not say for how much longer it holds.">
      lease {group.store ? `in ${group.store}` : "kept by the agents"}
    </span>
  );
}

function isRefused(group: Group, agent: string): boolean {
  return group.refused.some((one) => one.agent === agent);
}

function Totals({ project, group }: { project: string; group: Group }) {
  const free = group.candidates.filter((one) => !one.is_leader && !isRefused(group, one.agent));
  const q = `engine:${quote(group.engine)} app:${quote(group.app)}`;
  return (
    <div className={css.totals}>
      {group.leader && (
        <span>
          epoch <b>{group.leader.epoch}</b>
        </span>
      )}
      {group.leader && (
        <span>
          leads since{" "}
          <b>
            <Time at={group.since} form="distance" />
          </b>
        </span>
      )}
      <Lease group={group} />
      <Link to="/p/$project/schedules/fires" params={{ project }} search={{ q }}>
        lag p50 <b>{millis(group.lag_p50_ms)}</b> · p99 <b>{millis(group.lag_p99_ms)}</b>
        {group.lag_fires > 0 && ` of ${plural(group.lag_fires, "fire")}`}
      </Link>
      <span>
        <b>{count(free.length)}</b> {group.leader ? "stand by" : "may lead"}
      </span>
      <span>
        revision <b>{group.revision}</b>
      </span>
    </div>
  );
}

function Processes({ group }: { group: Group }) {
  const order = [...group.candidates].sort((a, b) => Number(b.is_leader) - Number(a.is_leader));
  if (order.length + group.others.length === 0) return null;
  return (
    <div className={`${css.wrap} ${own.inset}`}>
      <table className={css.table} data-stack>
        <thead>
          <tr>
            <th>process</th>
            <th>part</th>
            <th className={css.end}>revision</th>
            <th>connected</th>
            <th>role, or why not</th>
          </tr>
        </thead>
        <tbody>
          {order.map((one) => (
            <tr key={one.agent} data-leader={one.is_leader || undefined}>
              <td className={css.name}>
                <Text value={one.host} limit={120} />
                {one.pid !== null && ` · ${one.pid}`}
              </td>
              <td>
                {one.is_leader ? (
                  <Tag tone="good">leads</Tag>
                ) : isRefused(group, one.agent) ? (
                  <Tag tone="bad">refused</Tag>
                ) : group.leader ? (
                  "stands by"
                ) : (
                  "may lead"
                )}
              </td>
              <td className={css.end} data-name="revision">
                {one.revision}
                {group.revision > one.revision && (
                  <span className={css.warn}>
                    {" "}
                    {plural(group.revision - one.revision, "edit")} behind
                  </span>
                )}
              </td>
              <td className={css.muted}>
                <Time at={one.since} form="distance" />
              </td>
              <td className={css.muted}>{one.role}</td>
            </tr>
          ))}
          {group.others.map((one) => (
            <tr key={one.agent}>
              <td className={css.name}>
                <Text value={one.host ?? shortId(one.agent)} limit={120} />
                {one.pid !== null && ` · ${one.pid}`}
              </td>
              <td className={css.faint}>cannot lead</td>
              <td className={css.end}>{DASH}</td>
              <td className={css.muted}>{DASH}</td>
              <td className={own.whyCell}>
                <Text value={one.why} limit={200} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

type GroupProps = { project: string; group: Group; mayMove: boolean };

function GroupView({ project, group, mayMove }: GroupProps) {
  const isMoving = group.moving_to !== null;
  return (
    <section className={own.group} aria-label={`${group.engine} ${plain(group.app)}`}>
      <h2>
        {group.engine} · <Text value={group.app} limit={128} />
      </h2>
      <Move project={project} group={group} mayMove={mayMove} />
      <Totals project={project} group={group} />
      {group.refused.length > 0 && (
        <div className={css.section}>
          <Refusals group={group} />
        </div>
      )}
      {!isMoving && group.leader === null && group.candidates.length > group.refused.length && (
        <p className={`${css.section} ${css.muted}`}>
          Who leads is known with the first fire: none has been told of.
        </p>
      )}
      {!isMoving && group.leader === null && group.candidates.length === 0 && (
        <p className={`${css.section} ${css.warn}`}>
          Nobody leads: <Text value={group.why ?? "there is no candidate"} limit={400} />.
        </p>
      )}
      {!isMoving && group.leader && group.why && (
        <p className={`${css.section} ${css.warn}`}>
          <Text value={group.why} limit={400} />
        </p>
      )}
      <Processes group={group} />
    </section>
  );
}

export function LeadersPage() {
  const project = useProject();
  const { data, error } = useQuery({ ...groups(project), refetchInterval: usePace(PACE_MS) });
  const role = useQuery(me()).data?.projects.find((one) => one.slug === project)?.role;
  return (
    <div className={css.page}>
      <Head project={project} here="Leaders" />
      {error && !data && <ErrorView error={error} />}
      {!data && !error && <Skeleton rows={6} />}
      {data?.items.length === 0 && (
        <Empty title="No group yet">
          <p>A group is one engine on one broker. It appears with its first agent or schedule.</p>
        </Empty>
      )}
      {data?.items.map((group) => (
        <GroupView
          key={`${group.engine}/${group.app}`}
          project={project}
          group={group}
          mayMove={role === "admin"}
        />
      ))}
    </div>
  );
}
