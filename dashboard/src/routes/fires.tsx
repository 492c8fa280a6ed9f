/** Fires of all schedules: who fired what, what was late, what was missed. */
import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect } from "react";
import { Problem } from "../api/http";
import { allFires } from "../api/scheduleQueries";
import type { NamedFire } from "../api/types";
import { usePace } from "../live/context";
import { setQueryProblem, useQueryProblem } from "../query/problem";
import { FireRow } from "../schedule/FireRow";
import { Legend } from "../schedule/FireStrip";
import { Head } from "../schedule/Head";
import own from "../schedule/places.module.css";
import { useProject, useUrl } from "../shell/search";
import { shortId } from "../ui/format";
import { Button, Empty, ErrorView, Skeleton } from "../ui/parts";
import { Text } from "../ui/Text";
import css from "./page.module.css";

const PACE_MS = 5000;
/** As the brain counts `is:late`: the grace a schedule has unless it says another. */
const LATE_MS = 60_000;
const SEARCHES: [q: string, label: string][] = [
  ["", "all"],
  ["is:late", "late"],
  ["is:missed", "missed"],
  ["is:failed", "failed"],
  ["is:ordered", "ordered by somebody"],
  ["status:skipped", "skipped"],
  ["status:refused", "refused"],
];

function Schedule({ project, fire }: { project: string; fire: NamedFire }) {
  if (fire.schedule_name === null) {
    return (
      <span className={css.faint} title={fire.schedule}>
        deleted <code>{shortId(fire.schedule)}</code>
      </span>
    );
  }
  return (
    <Link to="/p/$project/schedules/$id" params={{ project, id: fire.schedule }} search={{}}>
      <Text value={fire.schedule_name} limit={200} />
    </Link>
  );
}

function Searches({ q, pick }: { q: string; pick: (q: string) => void }) {
  return (
    <div className={own.searches} role="toolbar" aria-label="searches">
      {SEARCHES.map(([value, label]) => (
        <button
          key={label}
          type="button"
          className={own.place}
          aria-pressed={value === q}
          onClick={() => pick(value)}
        >
          {label}
        </button>
      ))}
    </div>
  );
}

export function FiresPage() {
  const project = useProject();
  const { q, set } = useUrl();
  const found = useInfiniteQuery({
    queryKey: [project, "/schedules/all fires", q],
    queryFn: ({ pageParam, signal }) => allFires(project, q, pageParam, signal),
    initialPageParam: "",
    getNextPageParam: (last) => last.next ?? undefined,
    placeholderData: keepPreviousData,
    refetchInterval: usePace(PACE_MS),
  });
  const { data, error } = found;
  const problem = useQueryProblem();
  useEffect(() => {
    setQueryProblem(error instanceof Problem && error.code.startsWith("query.") ? error : null);
    return () => setQueryProblem(null);
  }, [error]);
  const pick = (value: string) => set({ q: value || undefined });
  const fires = data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <div className={css.page}>
      <Head project={project} here="Fires" />
      <Searches q={q} pick={pick} />
      {error && !data && !problem && <ErrorView error={error} />}
      {!data && !error && <Skeleton />}
      {data && fires.length === 0 && (
        <Empty title={q ? "0 fires match" : "No schedule has fired yet"}>
          {q && <Button onClick={() => pick("")}>Clear the search</Button>}
        </Empty>
      )}
      {fires.length > 0 && (
        <>
          <div className={`${css.wrap} ${own.inset}`}>
            <table className={`${css.table} ${own.fires}`} data-stack>
              <thead>
                <tr>
                  <th>schedule</th>
                  <th>slot, in its zone and UTC</th>
                  <th className={css.end}>lag</th>
                  <th>status</th>
                  <th>why</th>
                  <th>task</th>
                  <th className={css.wide}>definition</th>
                </tr>
              </thead>
              <tbody>
                {fires.map((fire) => (
                  <FireRow
                    key={fire.fire_id}
                    project={project}
                    fire={fire}
                    graceMs={LATE_MS}
                    lead={<Schedule project={project} fire={fire} />}
                    tail={
                      <td className={`${css.muted} ${css.wide}`}>
                        <Text value={fire.definition ?? fire.engine} limit={200} />
                      </td>
                    }
                  />
                ))}
              </tbody>
            </table>
          </div>
          <Legend />
          {found.hasNextPage && (
            <p className={css.section}>
              <Button onClick={() => void found.fetchNextPage()}>Older fires</Button>
            </p>
          )}
        </>
      )}
    </div>
  );
}
