/** Selected rows. The rule: "all matching" is a query, not a list of what happens to be loaded. */
import { useCallback, useMemo, useRef, useState } from "react";
import type { Task } from "../api/types";

export type Selection = {
  refs: ReadonlySet<string>;
  isAll: boolean;
  has: (ref: string) => boolean;
  toggle: (row: Task, index: number, isRange: boolean) => void;
  all: () => void;
  clear: () => void;
};

const NONE: ReadonlySet<string> = new Set();

export function useSelection(rows: readonly Task[]): Selection {
  const [refs, setRefs] = useState<ReadonlySet<string>>(NONE);
  const [isAll, setAll] = useState(false);
  const anchor = useRef(0);
  const latest = useRef(rows);
  latest.current = rows;
  const toggle = useCallback((row: Task, index: number, isRange: boolean) => {
    setAll(false);
    setRefs((old) => {
      const next = new Set(old);
      if (isRange) {
        const [from, to] = [Math.min(anchor.current, index), Math.max(anchor.current, index)];
        for (const one of latest.current.slice(from, to + 1)) next.add(one.ref);
      } else if (!next.delete(row.ref)) next.add(row.ref);
      return next;
    });
    anchor.current = index;
  }, []);
  const clear = useCallback(() => {
    setAll(false);
    setRefs(NONE);
  }, []);
  const all = useCallback(() => setAll(true), []);
  return useMemo(
    () => ({ refs, isAll, has: (ref: string) => isAll || refs.has(ref), toggle, all, clear }),
    [refs, isAll, toggle, all, clear],
  );
}
