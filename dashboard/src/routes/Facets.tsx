/** Counts per value. The rule: a click changes one term of the query and nothing else. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback } from "react";
import { facets } from "../api/queries";
import type { Facets as FacetMap, FacetValue, Num, TaskState } from "../api/types";
import { useLive, usePace } from "../live/context";
import { exclude, selected, toggle } from "../query/edit";
import { plain } from "../ui/escape";
import { short } from "../ui/format";
import { Icon } from "../ui/Icon";
import { STATES, StateIcon } from "../ui/StateIcon";
import { Text } from "../ui/Text";
import css from "./tasks.module.css";

const ORDER = ["state", "task", "queue", "worker", "engine", "release"];

type Props = { project: string; q: string; range: string; onQuery: (q: string) => void };

function useFacets(project: string, q: string, range: string): FacetMap | undefined {
  const client = useQueryClient();
  const options = facets(project, q, range);
  const { data } = useQuery({ ...options, refetchInterval: usePace(60_000) });
  const patch = useCallback(
    (event: unknown) => {
      const nums = event as Record<string, Num>;
      client.setQueryData<FacetMap>([project, "/facets", { q, range }], (old) => {
        if (!old?.state) return old;
        const state = old.state.map((one) => ({
          ...one,
          count: nums[`state.${one.value}`] ?? one.count,
        }));
        return { ...old, state };
      });
    },
    [client, project, q, range],
  );
  useLive("num", patch);
  return data;
}

function Value({
  name,
  item,
  isOn,
  q,
  onQuery,
}: { name: string; item: FacetValue; isOn: boolean } & Pick<Props, "q" | "onQuery">) {
  const isState = name === "state" && STATES.includes(item.value as TaskState);
  return (
    <li className={css.facet} data-on={isOn || undefined}>
      <button
        type="button"
        className={css.facetMain}
        aria-pressed={isOn}
        onClick={() => onQuery(toggle(q, name, item.value))}
      >
        {isState ? (
          <StateIcon state={item.value as TaskState} label />
        ) : (
          <span className={css.facetText}>
            <Text value={item.value} limit={120} />
          </span>
        )}
        <span className={css.facetCount}>
          {item.count.approx ? "≈ " : ""}
          {short(item.count.value)}
        </span>
      </button>
      <button
        type="button"
        className={css.facetNot}
        aria-label={`exclude ${plain(item.value)}`}
        title="exclude"
        onClick={() => onQuery(exclude(q, name, item.value))}
      >
        <Icon name="cancel" size={12} />
      </button>
    </li>
  );
}

export function Facets({ project, q, range, onQuery }: Props) {
  const data = useFacets(project, q, range);
  return (
    <aside className={css.facets} aria-label="facets">
      {ORDER.map((name) => {
        const chosen = selected(q, name);
        const values = (data?.[name] ?? []).filter(
          (item) => item.count.value > 0 || chosen.includes(item.value),
        );
        if (values.length === 0 || (name === "engine" && values.length < 2 && chosen.length === 0))
          return null;
        return (
          <section key={name}>
            <h2>{name}</h2>
            <ul>
              {values.slice(0, 12).map((item) => (
                <Value
                  key={item.value}
                  name={name}
                  item={item}
                  isOn={chosen.includes(item.value)}
                  q={q}
                  onQuery={onQuery}
                />
              ))}
            </ul>
          </section>
        );
      })}
    </aside>
  );
}
