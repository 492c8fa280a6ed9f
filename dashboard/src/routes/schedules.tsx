/** Every schedule: when it fires next, how the last ones went, and what may be done. */
import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useEffect, useMemo, useState } from "react";
import { Problem } from "../api/http";
import { groups, schedulePage, schedules } from "../api/scheduleQueries";
import type { Group, Schedule, SchedulePage } from "../api/types";
import { setQueryProblem, useQueryProblem } from "../query/problem";
import { useActs } from "../schedule/acts/useActs";
import { Legend } from "../schedule/FireStrip";
import { ScheduleTable } from "../schedule/ScheduleTable";
import { Teach } from "../schedule/Teach";
import { useLiveSchedules } from "../schedule/useLiveSchedules";
import { useProject, useUrl } from "../shell/search";
import { count, plural } from "../ui/format";
import { Icon } from "../ui/Icon";
import { useKeys } from "../ui/keys";
import { Part } from "../ui/Part";
import { Button, Empty, ErrorView, Skeleton } from "../ui/parts";
import { Text } from "../ui/Text";
import css from "./page.module.css";

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
  const silent = items.filter((one) => one.silent || (one.leader === null && one.revision > 0));
  if (silent.length === 0) return null;
  return (
    <ul className={`${css.attention} ${css.section}`}>
      {silent.map((one) => (
        <li key={`${one.engine}/${one.app}`} data-level={one.silent ? "bad" : "warn"}>
          <Icon name="warn" />
          <span>
            {one.engine} · <Text value={one.app} limit={128} />:{" "}
            {one.leader === null
              ? "nobody fires its schedules"
              : "a slot passed and no fire was heard of"}
            {one.why && (
              <>
                {". "}
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

export function SchedulesPage() {
  const project = useProject();
  const { q, set } = useUrl();
  useLiveSchedules(project, q);
  const found = useInfiniteQuery({
    queryKey: [project, "/schedules", "list", q],
    queryFn: ({ pageParam, signal }) => schedulePage(project, q, pageParam, signal),
    initialPageParam: "",
    getNextPageParam: (last) => last.next ?? undefined,
    placeholderData: keepPreviousData,
  });
  const { data, error } = found;
  const { data: groupData } = useQuery(groups(project));
  const problem = useQueryProblem();
  useEffect(() => {
    setQueryProblem(error instanceof Problem && error.code.startsWith("query.") ? error : null);
    return () => setQueryProblem(null);
  }, [error]);
  const silent = useQuery({
    ...schedules(project, "is:silent"),
    enabled: q === "" && found.hasNextPage,
  });
  const items = useMemo(
    () => shownOf(data?.pages ?? [], q === "" ? (silent.data?.items ?? []) : [], found.hasNextPage),
    [data, q, silent.data, found.hasNextPage],
  );
  const total = data?.pages[0]?.total ?? 0;
  const active = useListKeys(project, items);
  const { acts, sheet } = useActs(project);
  if (error && !data && !problem) return <ErrorView error={error} />;
  if (!data) return <Skeleton />;
  if (total === 0 && q === "") return <Teach project={project} />;
  return (
    <div className={css.page}>
      <header className={css.head}>
        <h1>Schedules</h1>
        <span>{plural(total, "schedule")}</span>
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
      </header>
      <SilentGroups items={groupData?.items ?? []} />
      {items.length === 0 ? (
        <Empty title="0 schedules match">
          <Button onClick={() => set({ q: undefined })}>Clear the search</Button>
        </Empty>
      ) : (
        <>
          <ScheduleTable project={project} schedules={items} active={active} acts={acts} />
          <Legend />
          {found.hasNextPage && (
            <p className={css.section}>
              <Button onClick={() => void found.fetchNextPage()}>
                {count(total - items.length)} more
              </Button>
            </p>
          )}
        </>
      )}
      <Part name="dialog">{sheet}</Part>
    </div>
  );
}
