/** What is enqueued: engine and app, definition, arguments, queue. */
import { useQuery } from "@tanstack/react-query";
import { agents, definitions } from "../../api/queries";
import { groups } from "../../api/scheduleQueries";
import type { Agent, Definition, Group } from "../../api/types";
import { plain } from "../../ui/escape";
import { ArgsForm } from "./ArgsForm";
import type { Draft } from "./draft";
import { Field, TextField, Tick } from "./faults";
import css from "./form.module.css";

export type Place = { engine: string; app: string; why: string | null };

/** Where a schedule can live: what agents report, then what is known and away. */
export function placesOf(agentList: Agent[], groupList: Group[], defs: Definition[]): Place[] {
  const found = new Map<string, Place>();
  const add = (engine: string, app: string, why: string | null) => {
    const key = `${engine}/${app}`;
    if (!found.has(key)) found.set(key, { engine, app, why });
  };
  for (const agent of agentList) {
    const isThere = agent.state === "online" || agent.state === "connected";
    if (isThere) for (const one of agent.engines) add(one.engine, one.app, null);
  }
  for (const one of groupList) add(one.engine, one.app, "no agent of it is connected");
  for (const agent of agentList)
    for (const one of agent.engines) add(one.engine, one.app, "no agent of it is connected");
  const engines = new Set([...found.values()].map((place) => place.engine));
  for (const one of defs) {
    if (!engines.has(one.engine)) add(one.engine, one.app ?? "", "no agent of it is connected");
  }
  return [...found.values()].sort((a, b) => Number(a.why !== null) - Number(b.why !== null));
}

export function useCatalog(project: string) {
  const known = useQuery(definitions(project, "", "24h"));
  const people = useQuery(agents(project));
  const teams = useQuery(groups(project));
  const defs = known.data?.items ?? [];
  return {
    defs,
    isReady: known.data !== undefined && people.data !== undefined,
    places: placesOf(people.data?.items ?? [], teams.data?.items ?? [], defs),
  };
}

export function definitionOf(defs: Definition[], draft: Draft): Definition | undefined {
  return defs.find((one) => one.engine === draft.engine && one.name === draft.task);
}

type Props = {
  draft: Draft;
  set: (change: Partial<Draft>) => void;
  isNew: boolean;
  defs: Definition[];
  places: Place[];
  isReady: boolean;
  isFree: boolean;
  setFree: (on: boolean) => void;
};

function PlaceField({ draft, set, places }: Pick<Props, "draft" | "set" | "places">) {
  const value = draft.engine ? `${draft.engine}/${draft.app}` : "";
  const away = places.find((one) => `${one.engine}/${one.app}` === value)?.why;
  return (
    <Field
      label="engine and app"
      pointer="/engine"
      note={away ? `${away}: it fires when one is back` : undefined}
    >
      {(marks) => (
        <select
          {...marks}
          className={css.input}
          value={value}
          onChange={(event) => {
            const place = places.find((one) => `${one.engine}/${one.app}` === event.target.value);
            if (place) set({ engine: place.engine, app: place.app });
          }}
        >
          <option value="" disabled>
            choose…
          </option>
          {places.map((one) => (
            <option
              key={`${one.engine}/${one.app}`}
              value={`${one.engine}/${one.app}`}
              disabled={one.app === ""}
            >
              {one.engine} · {plain(one.app)}
              {one.why ? ` (${one.why})` : ""}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

export function WhatPart(props: Props) {
  const { draft, set, isNew, defs, places, isReady } = props;
  const found = definitionOf(defs, draft);
  const own = defs.filter((one) => one.engine === draft.engine);
  const isUnknown = isReady && draft.task !== "" && draft.engine !== "" && !found;
  return (
    <section className={css.part} data-first>
      <h2>what</h2>
      <div className={css.grid}>
        <TextField
          label="name"
          pointer="/name"
          value={draft.name}
          onChange={(name) => set({ name })}
        />
        {isNew ? (
          <PlaceField draft={draft} set={set} places={places} />
        ) : (
          <div className={css.field}>
            <span>engine and app</span>
            <p className={css.fixed}>
              {draft.engine} · {plain(draft.app)}
            </p>
          </div>
        )}
        <TextField
          label="definition"
          pointer="/task"
          value={draft.task}
          mono
          list="definitions"
          placeholder="shop.report"
          onChange={(task) => set({ task: task.trim() })}
          note={found?.doc ? plain(found.doc.split("\n")[0] ?? "").slice(0, 160) : undefined}
        />
        <TextField
          label="queue"
          pointer="/queue"
          value={draft.queue ?? ""}
          placeholder={found?.queue ? plain(found.queue) : "the definition's own"}
          onChange={(queue) => set({ queue: queue || null })}
        />
        <Tick label="enabled" value={draft.enabled} onChange={(enabled) => set({ enabled })} />
        <datalist id="definitions">
          {own.map((one) => (
            <option key={one.name} value={one.name} />
          ))}
        </datalist>
      </div>
      {isUnknown && (
        <div className={css.unknown}>
          <p className={css.warn}>No live worker of {draft.engine} has registered this name.</p>
          <Tick
            label="save it although it is not registered"
            value={props.isFree}
            onChange={props.setFree}
          />
        </div>
      )}
      <h3>arguments</h3>
      <ArgsForm key={draft.task} draft={draft} params={found?.params ?? null} set={set} />
    </section>
  );
}
