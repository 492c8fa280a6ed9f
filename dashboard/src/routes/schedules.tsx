/** Every schedule, as a list or as a week: when it fires next, how the last ones went, and what may be done. */
import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { lazy, Suspense, useCallback, useEffect, useMemo, useState } from "react";
import { Problem } from "../api/http";
import { groups, schedulePage, schedules } from "../api/scheduleQueries";
import type { Group, Schedule, SchedulePage } from "../api/types";
import { setQueryProblem, useQueryProblem } from "../query/problem";
import { useActs } from "../schedule/acts/useActs";
import { Legend } from "../schedule/FireStrip";
import { Head } from "../schedule/Head";
import { ScheduleTable } from "../schedule/ScheduleTable";
import { Teach } from "../schedule/Teach";
import { useLiveSchedules } from "../schedule/useLiveSchedules";
import { useProject, useUrl } from "../shell/search";
import { count } from "../ui/format";
import { Icon } from "../ui/Icon";
import { useKeys } from "../ui/keys";
import { Part } from "../ui/Part";
import { Button, Empty, ErrorView, Skeleton } from "../ui/parts";
import { Text } from "../ui/Text";
import css from "./page.module.css";

const WeekMap = lazy(() => import("../schedule/WeekMap").then((m) => ({ default: m.WeekMap })));

/** Silent first, then what fires next; what does not fire comes last. */
export function inOrder(items: Schedule[]): Schedule[] {
  const rank = (one: Schedule) =>
    one.silent ? 0 : one.enabled && !one.paused && one.next_due_ms !== null ? 1 : 2;
  const due = (one: Schedule) => one.next_due_ms ?? Number.MAX_SAFE_INTEGER;
  return [...items].sort(
    (a, b) => rank(a) - rank(b) || due(a) - due(b) || a.name.localeCompare(b.name),
  );
}

/** What the list shows: all in order, or, while there are more pages, silent ones and then by name. */
export function shownOf(pages: SchedulePage[], silent: Schedule[], hasMore: boolean): Schedule[] {
  const items = pages.flatMap((page) => page.items);
  if (!hasMore) return inOrder(items);
  const first = new Set(silent.map((one) => one.id));
  return [...silent, ...items.filter((one) => !first.has(one.id))];
}

function SilentGroups({ items }: { items: Group[] }) {
  const silent = items.filter(
    (one) => one.silent || (one.leader === null && one.candidates.length === 0 && one.revision > 0),
  );
  if (silent.length === 0) return null;
  return (
    <ul className={`${css.attention} ${css.section}`}>
      {silent.map((one) => (
        <li key={`${one.engine}/${one.app}`} data-level={one.silent ? "bad" : "warn"}>
          <Icon name="warn" />
          <span>
            {one.engine} · <Text value={one.app} limit={128} />,{" "}
            {one.leader === null
              ? "nobody fires its schedules"
              : "a slot passed and no fire was heard of"}
            {one.why && (
              <>
                {": "}
                <Text value={one.why} limit={400} />
              </>
            )}
          </span>
        </li>
      ))}
    </ul>
  );
}

function useListKeys(project: string, items: Schedule[]) {
  const navigate = useNavigate();
  const [active, setActive] = useState(-1);
  const keymap = useMemo(() => {
    const move = (by: number) => () =>
      setActive((old) => Math.max(0, Math.min(items.length - 1, old + by)));
    return {
      j: move(1),
      k: move(-1),
      n: () => void navigate({ to: "/p/$project/schedules/new", params: { project }, search: {} }),
      Enter: () => {
        const id = items[active]?.id;
        if (id)
          void navigate({ to: "/p/$project/schedules/$id", params: { project, id }, search: {} });
      },
    };
  }, [project, navigate, items, active]);
  useKeys(keymap);
  return active;
}

function List({ project }: { project: string }) {
  const { q, set } = useUrl();
  useLiveSchedules(project, q);
  const found = useInfiniteQuery({
    queryKey: [project, "/schedules", "list", q],
    queryFn: ({ pageParam, signal }) => schedulePage(project, q, pageParam, signal),
    initialPageParam: "",
    getNextPageParam: (last) => last.next ?? undefined,
    placeholderData: keepPreviousData,
  });
  const { data, error, hasNextPage, isFetchingNextPage, fetchNextPage } = found;
  const { data: groupData } = useQuery(groups(project));
  const problem = useQueryProblem();
  useEffect(() => {
    setQueryProblem(error instanceof Problem && error.code.startsWith("query.") ? error : null);
    return () => setQueryProblem(null);
  }, [error]);
  const silent = useQuery({
    ...schedules(project, "is:silent"),
    enabled: q === "" && hasNextPage,
  });
  const items = useMemo(
    () => shownOf(data?.pages ?? [], q === "" ? (silent.data?.items ?? []) : [], hasNextPage),
    [data, q, silent.data, hasNextPage],
  );
  const total = data?.pages[0]?.total ?? 0;
  const active = useListKeys(project, items);
  const { acts, sheet } = useActs(project);
  const more = useCallback(() => {
    if (!isFetchingNextPage) void fetchNextPage();
  }, [isFetchingNextPage, fetchNextPage]);
  if (error && !data && !problem) return <ErrorView error={error} />;
  if (!data) return <Skeleton />;
  if (total === 0 && q === "") return <Teach project={project} />;
  return (
    <>
      <SilentGroups items={groupData?.items ?? []} />
      {items.length === 0 ? (
        <Empty title="0 schedules match">
          <Button onClick={() => set({ q: undefined })}>Clear the search</Button>
        </Empty>
      ) : (
        <>
          <ScheduleTable
            project={project}
            schedules={items}
            total={total}
            active={active}
            acts={acts}
            onMore={hasNextPage ? more : undefined}
          />
          <Legend />
          {hasNextPage && (
            <p className={css.section}>
              <Button onClick={more}>{count(total - items.length)} more</Button>
            </p>
          )}
        </>
      )}
      <Part name="dialog">{sheet}</Part>
    </>
  );
}

export function SchedulesPage() {
  const project = useProject();
  const { q, tab } = useUrl();
  const isWeek = tab === "week";
  return (
    <div className={css.page} data-scroll="page">
      <Head project={project} here={isWeek ? "Week" : "List"} q={q}>
        <span className={css.gap} />
        <Link
          to="/p/$project/schedules/new"
          params={{ project }}
          search={{}}
          className={css.link}
          title="n"
        >
          <Icon name="plus" /> New schedule
        </Link>
      </Head>
      {isWeek ? (
        <Suspense fallback={<Skeleton rows={9} />}>
          <WeekMap project={project} />
        </Suspense>
      ) : (
        <List project={project} />
      )}
    </div>
  );
}
