/** What the stream says about schedules, put where the pages read it. The rule: an event patches, it asks nothing. */
import { type InfiniteData, type QueryClient, useQueryClient } from "@tanstack/react-query";
import { useCallback } from "react";
import type { Schedule, SchedulePage } from "../api/types";
import { useLive, useView } from "../live/context";
import { useUrl } from "../shell/search";

type Changes = { up: Schedule[]; gone: string[] };
type List = InfiniteData<SchedulePage>;

/** A list with the changes in it, and whether some of them belong to no row it has. */
export function patched(old: List, { up, gone }: Changes): { list: List; isNew: boolean } {
  const known = new Map(up.map((one) => [one.id, one]));
  const away = new Set(gone);
  let left = 0;
  const pages = old.pages.map((page) => ({
    ...page,
    items: page.items.flatMap((one) => {
      const next = known.get(one.id) ?? one;
      known.delete(one.id);
      if (!away.has(one.id)) return [next];
      left += 1;
      return [];
    }),
  }));
  const counted = pages.map((page) => ({ ...page, total: page.total - left }));
  return { list: { ...old, pages: counted }, isNew: known.size > 0 };
}

function take(client: QueryClient, project: string, changes: Changes): void {
  const lists = client.getQueriesData<List>({ queryKey: [project, "/schedules", "list"] });
  for (const [key, old] of lists) {
    if (!old) continue;
    const { list, isNew } = patched(old, changes);
    client.setQueryData(key, list);
    // Where a new one stands in a whole list without a query, only the brain knows.
    const isWhole = key[3] === "" && list.pages.at(-1)?.next === null;
    if (isNew && isWhole) void client.invalidateQueries({ queryKey: key });
  }
  for (const one of changes.up) client.setQueryData([project, `/schedules/${one.id}`, {}], one);
}

export function useLiveSchedules(project: string, q: string): void {
  const { range } = useUrl();
  const client = useQueryClient();
  useView({ project, view: "schedules", q, range });
  useLive(
    "schedules",
    useCallback((data) => take(client, project, data as Changes), [client, project]),
  );
  useLive(
    "reset",
    useCallback(
      () => void client.invalidateQueries({ queryKey: [project, "/schedules"] }),
      [client, project],
    ),
  );
}
