/** The live list of tasks with its strip, facets and detail pane. */
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { lazy, type MouseEvent, Suspense, useCallback, useRef, useState } from "react";
import { histogram } from "../api/queries";
import type { Task } from "../api/types";
import { Strip } from "../charts/Strip";
import type { Collapsed } from "../grid/columns";
import { type GridHandle, TaskGrid } from "../grid/TaskGrid";
import { usePace, useView } from "../live/context";
import { useQueryProblem } from "../query/problem";
import { DEFAULT_SORT, useProject, useUrl } from "../shell/search";
import { brainNow } from "../ui/clock";
import { moment, num, plural } from "../ui/format";
import { useIsNarrow } from "../ui/media";
import { Part } from "../ui/Part";
import { Button, ErrorView, Skeleton } from "../ui/parts";
import { Text } from "../ui/Text";
import { Facets } from "./Facets";
import { NoMatch } from "./NoMatch";
import { SelectionBar } from "./SelectionBar";
import css from "./tasks.module.css";
import { useSelection } from "./useSelection";
import { useTaskKeys } from "./useTaskKeys";
import { useTaskList } from "./useTaskList";

const Pane = lazy(() => import("./Pane").then((module) => ({ default: module.Pane })));
const FRESH_MS = 900;

function Histogram() {
  const project = useProject();
  const { q, range, set } = useUrl();
  const { data } = useQuery({ ...histogram(project, q, range), refetchInterval: usePace(30_000) });
  if (!data || data.buckets.length === 0) return <div className={css.noStrip} />;
  return <Strip data={data} onRange={(from, to) => set({ range: `${from}..${to}` })} />;
}

function Equal({ equal }: { equal: Collapsed[] }) {
  return equal.map(({ column, value }) => (
    <span
      key={column.id}
      className={css.equal}
      title={`${column.label} is the same in every row shown`}
    >
      {column.label} <b>{value === "" ? "none" : <Text value={value} limit={60} />}</b> · all
    </span>
  ));
}

export function TasksPage() {
  const project = useProject();
  const url = useUrl();
  const { q, range, sort, row, cols, set } = url;
  const navigate = useNavigate();
  const isNarrow = useIsNarrow();
  const grid = useRef<GridHandle>(null);
  const selecting = useRef(false);
  const isHeld = useCallback(
    () => selecting.current || sort !== DEFAULT_SORT || !(grid.current?.isAtTop() ?? true),
    [sort],
  );
  const { list, state, isLoading, error, more } = useTaskList({ project, q, range, sort }, isHeld);
  useView({ project, view: "tasks", q, range, ref: row || undefined });
  const problem = useQueryProblem();
  const selection = useSelection(state.rows);
  selecting.current = selection.refs.size > 0 || selection.isAll;
  const [active, setActive] = useState(-1);
  const [equal, setEqual] = useState<Collapsed[]>([]);

  const open = useCallback(
    (task: Task, index: number, event?: MouseEvent) => {
      if (event?.metaKey || event?.ctrlKey || event?.button === 1) return;
      event?.preventDefault();
      setActive(index);
      set({ row: task.ref }, row !== "");
    },
    [set, row],
  );
  const page = useCallback(
    (task: Task) =>
      void navigate({
        to: "/p/$project/t/$ref",
        params: { project, ref: task.ref },
        search: { range },
      }),
    [navigate, project, range],
  );
  useTaskKeys({
    rows: state.rows,
    active,
    setActive,
    selection,
    open,
    page,
    row,
    url,
    total: state.total,
  });

  const hrefOf = useCallback(
    (task: Task) => `/p/${project}/t/${encodeURIComponent(task.ref)}`,
    [project],
  );
  const isFresh = useCallback((ref: string) => brainNow() - list.changedAt(ref) < FRESH_MS, [list]);
  const isEmpty = !isLoading && !error && problem === null && state.rows.length === 0;
  const hasFacets = url.facets !== "off" && !isNarrow;
  return (
    <div
      className={css.page}
      data-facets={hasFacets || undefined}
      data-pane={row ? true : undefined}
    >
      {hasFacets && (
        <Facets
          project={project}
          q={q}
          range={range}
          onQuery={(next) => set({ q: next || undefined, row: undefined })}
        />
      )}
      <section className={css.list} aria-label="tasks">
        <div className={css.summary}>
          {!isNarrow && (
            <Button
              tone="quiet"
              icon="filter"
              aria-label={hasFacets ? "hide facets" : "show facets"}
              aria-pressed={hasFacets}
              onClick={() => set({ facets: hasFacets ? "off" : undefined }, true)}
            />
          )}
          <span className={css.total} data-testid="total">
            {state.total ? <b>{num(state.total)}</b> : "…"}{" "}
            {state.total?.value === 1 ? "task" : "tasks"}
          </span>
          <Equal equal={equal} />
          {state.searchedTo !== null && (
            <span className={css.equal}>searched back to {moment(state.searchedTo)}</span>
          )}
          <Histogram />
        </div>
        {error && <ErrorView error={error} />}
        {isLoading && state.version === 0 && <Skeleton rows={26} />}
        {isEmpty && <NoMatch project={project} q={q} range={range} />}
        {!isEmpty && !error && (
          <TaskGrid
            rows={state.rows}
            total={state.total?.value ?? state.rows.length}
            hasMore={state.next !== null}
            cols={cols}
            sort={sort}
            active={active}
            open={row}
            isDim={isLoading && state.version > 0}
            handle={grid}
            isSelected={selection.has}
            isFresh={isFresh}
            hrefOf={hrefOf}
            onSort={(next) => set({ sort: next === DEFAULT_SORT ? undefined : next })}
            onCollapsed={setEqual}
            onMore={more}
            onOpen={open}
            onSelect={selection.toggle}
          />
        )}
        {state.waiting > 0 && (
          <button
            type="button"
            className={css.waiting}
            onClick={() => {
              list.release(brainNow());
              grid.current?.toTop();
            }}
          >
            {plural(state.waiting, "new", "new")} ↑
          </button>
        )}
        <SelectionBar selection={selection} total={state.total} q={q} range={range} />
      </section>
      {row && (
        <Part name="task">
          <Suspense fallback={<aside className={css.pane} />}>
            <Pane
              project={project}
              refId={row}
              onClose={() => set({ row: undefined }, true)}
              onPage={(task) => page(task)}
            />
          </Suspense>
        </Part>
      )}
    </div>
  );
}
