/** The URL is the state. The rule: every value is a string, as in the REST query, and defaults are left out. */
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useCallback } from "react";

export type Search = {
  q?: string;
  range?: string;
  sort?: string;
  row?: string;
  tab?: string;
  facets?: string;
  cols?: string;
};

const NAMES: (keyof Search)[] = ["q", "range", "sort", "row", "tab", "facets", "cols"];
export const RANGES = ["15m", "1h", "6h", "24h", "7d", "30d", "all"] as const;
export const DEFAULT_RANGE = "1h";
export const DEFAULT_SORT = "-at";

export function parseSearch(text: string): Search {
  const params = new URLSearchParams(text);
  const found: Search = {};
  for (const name of NAMES) {
    const value = params.get(name);
    if (value) found[name] = value;
  }
  return found;
}

export function validateSearch(raw: Record<string, unknown>): Search {
  const found: Search = {};
  for (const name of NAMES) {
    const value = raw[name];
    if (typeof value === "string" && value !== "") found[name] = value;
  }
  return found;
}

export function stringifySearch(search: Record<string, unknown>): string {
  const params = new URLSearchParams();
  for (const name of NAMES) {
    const value = search[name];
    if (typeof value === "string" && value !== "") params.set(name, value);
  }
  const text = params
    .toString()
    .replaceAll("%3A", ":")
    .replaceAll("%2C", ",")
    .replaceAll("%2F", "/");
  return text ? `?${text}` : "";
}

/** Next shorter (-1) or longer (+1) range. */
export function stepRange(range: string, by: number): string {
  const at = (RANGES as readonly string[]).indexOf(range);
  const next = at === -1 ? 1 : Math.min(RANGES.length - 1, Math.max(0, at + by));
  return RANGES[next] ?? DEFAULT_RANGE;
}

export function useProject(): string {
  return useParams({ strict: false }).project ?? "";
}

export function useUrl() {
  const search = useSearch({ strict: false }) as Search;
  const navigate = useNavigate();
  const set = useCallback(
    (change: Search, replace = false) =>
      void navigate({
        to: ".",
        search: (old: Search) => ({ ...old, ...change }),
        replace,
        resetScroll: false,
      }),
    [navigate],
  );
  return {
    q: search.q ?? "",
    range: search.range ?? DEFAULT_RANGE,
    sort: search.sort ?? DEFAULT_SORT,
    row: search.row ?? "",
    tab: search.tab ?? "",
    facets: search.facets ?? "",
    cols: search.cols ?? "",
    set,
  };
}
