/** Keys of the task list: move, open, select, and sheets for the selection. */
import { useMemo } from "react";
import { openSheet } from "../actions/sheet";
import type { ActionName, Num, Task } from "../api/types";
import type { useUrl } from "../shell/search";
import { type Keymap, useKeys } from "../ui/keys";
import { sheetFor } from "./SelectionBar";
import type { Selection } from "./useSelection";

type Args = {
  rows: readonly Task[];
  active: number;
  setActive: (index: number) => void;
  selection: Selection;
  open: (task: Task, index: number) => void;
  page: (task: Task) => void;
  row: string;
  url: ReturnType<typeof useUrl>;
  total: Num | null;
};

export function useTaskKeys(args: Args): void {
  const { rows, active, setActive, selection, open, page, row, url, total } = args;
  const keymap = useMemo(() => {
    const at = Math.max(0, active);
    const current = rows[at];
    const move = (by: number) => () => {
      const next = Math.max(0, Math.min(rows.length - 1, active + by));
      const task = rows[next];
      setActive(next);
      if (row && task) open(task, next);
    };
    const act = (action: ActionName) => () => {
      const { q, range } = url;
      if (selection.refs.size > 0 || selection.isAll)
        sheetFor(action, { selection, total, q, range });
      else if (current) openSheet({ action, refs: [current.ref], title: current.task });
    };
    const keys: Keymap = {
      j: move(1),
      k: move(-1),
      ArrowDown: move(1),
      ArrowUp: move(-1),
      PageDown: move(25),
      PageUp: move(-25),
      Home: move(-rows.length),
      ["Enter"]: () => current && open(current, at),
      "mod+Enter": () => current && page(current),
      x: () => current && selection.toggle(current, at, false),
      "shift+x": () => current && selection.toggle(current, at, true),
      "mod+a": selection.all,
      r: act("retry"),
      c: act("cancel"),
      ["Escape"]: () => {
        if (selection.refs.size > 0 || selection.isAll) selection.clear();
        else if (row) url.set({ row: undefined }, true);
      },
    };
    return keys;
  }, [rows, active, setActive, selection, open, page, row, url, total]);
  useKeys(keymap);
}
