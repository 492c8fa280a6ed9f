/** Schedules on the Now page: what needs somebody, and the next five fires. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { schedules } from "../api/scheduleQueries";
import type { Schedule } from "../api/types";
import { usePace } from "../live/context";
import css from "../routes/page.module.css";
import { plural } from "../ui/format";
import { Text } from "../ui/Text";
import { Time } from "../ui/Time";
import { outcomeOf } from "./outcome";
import own from "./schedule.module.css";

const NEXT = 5;
const PACE_MS = 30_000;

export type Trouble = { label: string; q: string; n: number };

/** What of these schedules needs somebody, as lists to open. */
export function troubles(items: Schedule[]): Trouble[] {
  const newest = (one: Schedule) => {
    const fire = one.strip.at(-1);
    return fire ? outcomeOf(fire, one.grace_s * 1000) : null;
  };
  const count = (fits: (one: Schedule) => boolean) => items.filter(fits).length;
  const found = [
    { label: "silent", q: "is:silent", n: count((one) => one.silent !== null) },
    { label: "failing", q: "is:failing", n: count((one) => one.consecutive_failures > 0) },
    { label: "paused", q: "is:paused", n: count((one) => one.paused !== null) },
    { label: "missed the last slot", q: "", n: count((one) => newest(one) === "missed") },
    { label: "late at the last slot", q: "", n: count((one) => newest(one) === "late") },
  ];
  return found.filter((one) => one.n > 0);
}

/** The schedules that fire next, soonest first. */
export function nextOf(items: Schedule[]): Schedule[] {
  return items
    .filter((one) => one.enabled && !one.paused && one.next_due_ms !== null)
    .sort((a, b) => (a.next_due_ms ?? 0) - (b.next_due_ms ?? 0))
    .slice(0, NEXT);
}

export function NowStrip({ project }: { project: string }) {
  const { data } = useQuery({ ...schedules(project, ""), refetchInterval: usePace(PACE_MS) });
  if (!data || data.items.length === 0) return null;
  return (
    <section className={css.section} data-area="schedules">
      <h2>
        schedules
        <Link to="/p/$project/schedules" params={{ project }} search={{}}>
          all {data.total}
        </Link>
      </h2>
      <div className={own.strip5}>
        {troubles(data.items).map(({ label, q, n }) => (
          <Link
            key={label}
            to="/p/$project/schedules"
            params={{ project }}
            search={q ? { q } : {}}
            className={label === "paused" ? css.warn : css.bad}
          >
            {plural(n, "schedule")} {label}
          </Link>
        ))}
        {nextOf(data.items).map((one) => (
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
