/** Keys, agents, tokens. The rule: what the role lacks is absent. */
import { useQuery } from "@tanstack/react-query";
import { agents, keys, me, refused } from "../api/queries";
import type { Agent } from "../api/types";
import { useView } from "../live/context";
import { useProject, useUrl } from "../shell/search";
import { bytes, count, wayOf } from "../ui/format";
import { ErrorView, Skeleton, Tag } from "../ui/parts";
import { Text } from "../ui/Text";
import { Time } from "../ui/Time";
import { KeyTable, NewKeyForm } from "./Keys";
import css from "./page.module.css";
import { Tokens } from "./Tokens";
import { useRefresh } from "./workers";

function RefusedTable({ project }: { project: string }) {
  const { data, error } = useQuery({ ...refused(project), refetchInterval: useRefresh() });
  if (error) return <ErrorView error={error} />;
  if (!data || data.items.length === 0)
    return <p className={css.faint}>No agent has been refused.</p>;
  return (
    <div className={css.wrap}>
      <table className={css.table} data-stack>
        <tbody>
          {data.items.map((row, at) => (
            <tr key={at}>
              <td className={css.muted}>
                <Time at={row.at} form="distance" />
              </td>
              <td>
                <code>
                  <Text value={row.key_id} />
                </code>
              </td>
              <td className={css.bad}>
                <Text value={row.reason} />
              </td>
              <td className={css.muted}>
                from <Text value={row.from} />
              </td>
              <td className={css.muted}>
                <Text value={row.detail} limit={400} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function AgentRow({ agent }: { agent: Agent }) {
  const gaps = agent.engines.flatMap((one) =>
    Object.entries(one.unavailable).map(([verb, why]) => `${one.engine} ${verb}: ${why}`),
  );
  return (
    <tr>
      <td className={css.name}>
        <Text value={agent.host} limit={120} /> <span className={css.faint}>{agent.pid}</span>
      </td>
      <td>
        <Tag tone={agent.state === "online" || agent.state === "connected" ? "good" : "warn"}>
          {agent.state}
        </Tag>
      </td>
      <td className={css.muted}>
        {agent.engines.map((one) => `${one.engine} ${one.version ?? ""}`).join(", ")}
      </td>
      <td data-name="policy">{agent.policy ?? "—"}</td>
      <td className={css.muted}>{wayOf(agent.transport)}</td>
      <td className={css.end} data-name="kept">
        {bytes(agent.spool_bytes)}
      </td>
      <td className={`${css.end} ${agent.lost ? css.bad : ""}`} data-name="lost">
        {count(agent.lost)}
      </td>
      <td className={`${css.end} ${css.muted}`} data-name="heard">
        <Time at={agent.last_beat_at} form="distance" />
      </td>
      <td className={css.muted} title={gaps.join("\n")}>
        {gaps.length > 0 ? `${gaps.length} unavailable` : ""}
      </td>
    </tr>
  );
}

function AgentTable({ project }: { project: string }) {
  const { data, error } = useQuery({ ...agents(project), refetchInterval: useRefresh() });
  if (error) return <ErrorView error={error} />;
  if (!data || data.items.length === 0) return <p className={css.faint}>No agent is connected.</p>;
  return (
    <div className={css.wrap}>
      <table className={css.table} data-stack>
        <thead>
          <tr>
            <th>agent</th>
            <th>state</th>
            <th>engines</th>
            <th>policy</th>
            <th>way</th>
            <th className={css.end}>kept</th>
            <th className={css.end}>lost</th>
            <th className={css.end}>heard</th>
            <th>gaps</th>
          </tr>
        </thead>
        <tbody>
          {data.items.map((agent) => (
            <AgentRow key={agent.id} agent={agent} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

export function SettingsPage() {
  const project = useProject();
  const { range } = useUrl();
  useView({ project, view: "queues", q: "", range });
  const { data, error } = useQuery({ ...keys(project), refetchInterval: useRefresh() });
  const role = useQuery(me()).data?.projects.find((one) => one.slug === project)?.role;
  if (error && !data) return <ErrorView error={error} />;
  if (!data) return <Skeleton />;
  return (
    <div className={css.page}>
      <header className={css.head}>
        <h1>Keys, agents, tokens</h1>
        <span className={css.gap} />
      </header>
      <section className={css.section}>
        <h2>keys</h2>
        {role === "admin" && <NewKeyForm project={project} />}
        <KeyTable project={project} items={data.items} mayAct={role === "admin"} />
      </section>
      <section className={css.section}>
        <h2>agents</h2>
        <AgentTable project={project} />
      </section>
      <section className={css.section}>
        <h2>refused</h2>
        <RefusedTable project={project} />
      </section>
      <section className={css.section}>
        <h2>your API tokens</h2>
        <Tokens project={project} />
      </section>
    </div>
  );
}
