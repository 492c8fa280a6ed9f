/** What the brain said about the query in the bar. */
import { useSyncExternalStore } from "react";
import type { Problem } from "../api/http";

let current: Problem | null = null;
const watchers = new Set<() => void>();

export function setQueryProblem(problem: Problem | null): void {
  if (problem === current) return;
  current = problem;
  for (const watcher of watchers) watcher();
}

export function useQueryProblem(): Problem | null {
  return useSyncExternalStore(
    (watcher) => {
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
    () => current,
  );
}
