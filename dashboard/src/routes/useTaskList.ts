/** The task list of a query. The rule: one request per page the reader reaches, none per event. */
import { useCallback, useEffect, useRef, useState, useSyncExternalStore } from "react";
import { Problem } from "../api/http";
import { tasksPage } from "../api/queries";
import type { Num, RowsEvent } from "../api/types";
import { useLive } from "../live/context";
import { TaskList } from "../live/store";
import { setQueryProblem } from "../query/problem";
import { brainNow } from "../ui/clock";

const PAGE = 200;

type Query = { project: string; q: string; range: string; sort: string };

export function useTaskList({ project, q, range, sort }: Query, isHeld: () => boolean) {
  const [list] = useState(() => new TaskList());
  const state = useSyncExternalStore(list.subscribe, list.snapshot);
  const [isLoading, setLoading] = useState(true);
  const [error, setError] = useState<Problem | null>(null);
  const [round, setRound] = useState(0);
  const paging = useRef<AbortController | null>(null);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new round reads the same query afresh
  useEffect(() => {
    const abort = new AbortController();
    paging.current?.abort();
    paging.current = null;
    setLoading(true);
    tasksPage(project, { q, range, sort, limit: PAGE }, abort.signal)
      .then((page) => {
        list.reset(page);
        setError(null);
        setQueryProblem(null);
        setLoading(false);
      })
      .catch((failure: unknown) => {
        if (abort.signal.aborted) return;
        setLoading(false);
        const problem = failure instanceof Problem ? failure : null;
        const isQuery = problem?.code.startsWith("query.") ?? false;
        setQueryProblem(isQuery ? problem : null);
        setError(isQuery ? null : (problem ?? new Problem(-1, { title: String(failure) })));
      });
    return () => abort.abort();
  }, [list, project, q, range, sort, round]);
  useEffect(() => () => setQueryProblem(null), []);

  const more = useCallback(() => {
    const cursor = list.snapshot().next;
    if (!cursor || paging.current) return;
    const abort = new AbortController();
    paging.current = abort;
    tasksPage(project, { q, range, sort, cursor, limit: PAGE }, abort.signal)
      .then((page) => {
        if (abort.signal.aborted) return;
        paging.current = null;
        list.append(page);
      })
      .catch(() => {
        if (paging.current === abort) paging.current = null;
      });
  }, [list, project, q, range, sort]);

  useLive(
    "rows",
    useCallback((data) => list.apply(data as RowsEvent, isHeld(), brainNow()), [list, isHeld]),
  );
  useLive(
    "num",
    useCallback(
      (data) => {
        const total = (data as Record<string, Num>).total;
        if (total) list.setTotal(total);
      },
      [list],
    ),
  );
  const reload = useCallback(() => setRound((old) => old + 1), []);
  useLive("reset", reload);
  return { list, state, isLoading, error, more, reload };
}
