/** Schedules on the Now page: what of all of them needs somebody, and the next five fires. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { standing } from "../api/scheduleQueries";
import type { Standing } from "../api/types";
import { usePace } from "../live/context";
import css from "../routes/page.module.css";
import { count, plural } from "../ui/format";
import { Text } from "../ui/Text";
import { Time } from "../ui/Time";
import own from "./schedule.module.css";

const PACE_MS = 30_000;
const LABELS: [name: Exclude<keyof Standing, "total" | "next">, label: string][] = [
  ["silent", "silent"],
  ["failing", "failing"],
  ["paused", "paused"],
  ["missed", "missed the last slot"],
  ["late", "late at the last slot"],
];

export function NowStrip({ project }: { project: string }) {
  const { data } = useQuery({ ...standing(project), refetchInterval: usePace(PACE_MS) });
  if (!data || data.total.value === 0) return null;
  return (
    <section className={css.section} data-area="schedules">
      <h2>
        schedules
        <Link to="/p/$project/schedules" params={{ project }} search={{}}>
          all {count(data.total.value)}
        </Link>
      </h2>
      <div className={own.strip5}>
        {LABELS.filter(([name]) => data[name].value > 0).map(([name, label]) => (
          <Link
            key={name}
            to="/p/$project/schedules"
            params={{ project }}
            search={{ q: data[name].q ?? undefined }}
            className={name === "paused" ? css.warn : css.bad}
          >
            {plural(data[name].value, "schedule")} {label}
          </Link>
        ))}
        {data.next.map((one) => (
          <span key={one.id}>
            <Link to="/p/$project/schedules/$id" params={{ project, id: one.id }} search={{}}>
              <Text value={one.name} limit={80} />
            </Link>{" "}
            <span className={css.faint}>
              <Time at={one.next_due_ms} form="distance" />
            </span>
          </span>
        ))}
      </div>
    </section>
  );
}
