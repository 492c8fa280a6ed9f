/** Keys and agents. The rule: a secret is shown once, in the answer that made it, and kept nowhere. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { agents, createKey, keys, refused, revokeKey } from "../api/queries";
import type { Agent, Key, NewKey } from "../api/types";
import { useView } from "../live/context";
import { useProject, useUrl } from "../shell/search";
import { bytes, count } from "../ui/format";
import { Button, Copy, ErrorView, Skeleton, Tag } from "../ui/parts";
import { Text } from "../ui/Text";
import { Time } from "../ui/Time";
import css from "./page.module.css";
import { useRefresh } from "./workers";

function Secret({ made }: { made: NewKey }) {
  return (
    <div className={css.secret} role="status">
      <strong>The DSN, shown only now</strong>
      <div className={css.secretLine}>
        <code data-testid="dsn">{made.dsn}</code>
        <Copy text={made.dsn} label="DSN" />
      </div>
      <span className={css.muted}>
        Set it as Z4J_DSN where the workers start. Whoever holds it can speak for this project.
      </span>
    </div>
  );
}

function Revoke({ project, row }: { project: string; row: Key }) {
  const client = useQueryClient();
  const [isAsked, setAsked] = useState(false);
  const revoke = useMutation({
    mutationFn: () => revokeKey(project, row.cred_id),
    onSuccess: () => void client.invalidateQueries({ queryKey: [project, "/keys"] }),
  });
  if (row.revoked_at) return <Tag tone="bad">revoked</Tag>;
  if (!isAsked) {
    return (
      <Button tone="quiet" onClick={() => setAsked(true)}>
        Revoke…
      </Button>
    );
  }
  return (
    <>
      <Button tone="danger" onClick={() => revoke.mutate()} aria-disabled={revoke.isPending}>
        Revoke, its agents are refused at once
      </Button>{" "}
      <Button tone="quiet" onClick={() => setAsked(false)}>
        Keep
      </Button>
    </>
  );
}

function KeyTable({ project, items }: { project: string; items: Key[] }) {
  if (items.length === 0)
    return <p className={css.faint}>No key yet: create one for the first worker.</p>;
  return (
    <div className={css.wrap}>
      <table className={css.table}>
        <thead>
          <tr>
            <th>key</th>
            <th>label</th>
            <th className={css.end}>sessions</th>
            <th className={css.end}>last used</th>
            <th className={css.end}>created</th>
            <th>
              <span className="sr">acts</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {items.map((row) => (
            <tr key={row.cred_id}>
              <td>
                <code>
                  <Text value={row.key_id} />
                </code>
              </td>
              <td>
                <Text value={row.label} limit={120} />
              </td>
              <td className={css.end}>{count(row.sessions)}</td>
              <td className={`${css.end} ${css.muted}`}>
                <Time at={row.last_used_at} form="distance" />
              </td>
              <td className={`${css.end} ${css.muted}`}>
                <Time at={row.created_at} form="distance" />
              </td>
              <td className={css.end}>
                <Revoke project={project} row={row} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function NewKeyForm({ project }: { project: string }) {
  const client = useQueryClient();
  const [label, setLabel] = useState("");
  const make = useMutation({
    mutationFn: () => createKey(project, label.trim()),
    onSuccess: () => {
      setLabel("");
      void client.invalidateQueries({ queryKey: [project, "/keys"] });
    },
  });
  return (
    <>
      <form
        className={css.form}
        onSubmit={(event) => {
          event.preventDefault();
          make.mutate();
        }}
      >
        <input
          className={css.input}
          placeholder="Label: where it will be used"
          aria-label="label"
          value={label}
          onChange={(event) => setLabel(event.target.value)}
        />
        <Button type="submit" tone="primary" icon="plus" aria-disabled={make.isPending}>
          Create key
        </Button>
      </form>
      {make.data && <Secret made={make.data} />}
    </>
  );
}

function RefusedTable({ project }: { project: string }) {
  const { data, error } = useQuery({ ...refused(project), refetchInterval: useRefresh() });
  if (error) return <ErrorView error={error} />;
  if (!data || data.items.length === 0)
    return <p className={css.faint}>No agent has been refused.</p>;
  return (
    <div className={css.wrap}>
      <table className={css.table}>
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
      <td>{agent.policy ?? "—"}</td>
      <td className={css.end}>{bytes(agent.spool_bytes)}</td>
      <td className={`${css.end} ${agent.lost ? css.bad : ""}`}>{count(agent.lost)}</td>
      <td className={`${css.end} ${css.muted}`}>
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
      <table className={css.table}>
        <thead>
          <tr>
            <th>agent</th>
            <th>state</th>
            <th>engines</th>
            <th>policy</th>
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
  const { data, error } = useQuery(keys(project));
  if (error && !data) return <ErrorView error={error} />;
  if (!data) return <Skeleton />;
  return (
    <div className={css.page}>
      <header className={css.head}>
        <h1>Keys and agents</h1>
        <span className={css.gap} />
      </header>
      <section className={css.section}>
        <h2>keys</h2>
        <NewKeyForm project={project} />
        <KeyTable project={project} items={data.items} />
      </section>
      <section className={css.section}>
        <h2>agents</h2>
        <AgentTable project={project} />
      </section>
      <section className={css.section}>
        <h2>refused</h2>
        <RefusedTable project={project} />
      </section>
    </div>
  );
}
