/** Width classes of the viewport. */
import { useSyncExternalStore } from "react";

const queries = new Map<string, MediaQueryList>();

function listOf(query: string): MediaQueryList {
  const list = queries.get(query) ?? matchMedia(query);
  queries.set(query, list);
  return list;
}

export function useMedia(query: string): boolean {
  return useSyncExternalStore(
    (watcher) => {
      const list = listOf(query);
      list.addEventListener("change", watcher);
      return () => list.removeEventListener("change", watcher);
    },
    () => listOf(query).matches,
  );
}

export const useIsNarrow = () => useMedia("(max-width: 639px)");
export const useIsDense = () => useMedia("(min-width: 1280px)");
