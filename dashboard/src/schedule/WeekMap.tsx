/** How many fires each hour of the coming week has. The rule: a cell says its number, its shade only repeats it. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type KeyboardEvent, useEffect, useMemo, useRef } from "react";
import { Problem } from "../api/http";
import { inHour, week } from "../api/scheduleQueries";
import type { Week } from "../api/types";
import { usePace } from "../live/context";
import { setQueryProblem, useQueryProblem } from "../query/problem";
import css from "../routes/page.module.css";
import { useUrl } from "../shell/search";
import { count, plural, short } from "../ui/format";
import { useIsNarrow } from "../ui/media";
import { ErrorView, Skeleton } from "../ui/parts";
import { Text } from "../ui/Text";
import { viewerZone } from "./form/draft";
import { wallText } from "./marks";
import { type Cell, type Day, daysOf, shadesOf, stepped } from "./week";
import own from "./week.module.css";

const PACE_MS = 60_000;
const HOURS = Array.from({ length: 24 }, (_, at) => at);
const two = (n: number) => String(n).padStart(2, "0");

function labelOf(date: string, hour: number, cell: Cell, about: boolean): string {
  const fires = `${about ? "about " : ""}${plural(cell.fires, "fire")}`;
  const when = `${wallText(`${date}T${two(hour)}:00:00`)}`;
  const twice = cell.hours.length > 1 ? ", the clock shows this hour twice" : "";
  return `${when}: ${fires} of ${plural(cell.schedules, "schedule")}${twice}`;
}

type GridProps = { found: Week; days: Day[]; chosen: number; choose: (at: number) => void };

function Grid({ found, days, chosen, choose }: GridProps) {
  const isNarrow = useIsNarrow();
  const box = useRef<HTMLDivElement>(null);
  const shades = useMemo(() => shadesOf(found.hours), [found.hours]);
  const first = days.findIndex((day) => day.cells.some(Boolean));
  const isChosen = (cell: Cell) => cell.hours.some((hour) => hour.at_ms === chosen);
  const hasChosen = days.some((day) => day.cells.some((cell) => cell && isChosen(cell)));
  const pressed = (event: KeyboardEvent<HTMLElement>, day: number, hour: number) => {
    if (!event.key.startsWith("Arrow")) return;
    event.preventDefault();
    const turned: Record<string, string> = isNarrow
      ? {
          ArrowUp: "ArrowLeft",
          ArrowDown: "ArrowRight",
          ArrowLeft: "ArrowUp",
          ArrowRight: "ArrowDown",
        }
      : {};
    const [row, at] = stepped(days, day, hour, turned[event.key] ?? event.key);
    box.current?.querySelector<HTMLElement>(`[data-cell="${row}-${at}"]`)?.focus();
  };
  return (
    <div
      ref={box}
      className={own.grid}
      role="grid"
      aria-label="fires by hour"
      data-turned={isNarrow}
    >
      <div role="row" className={own.row}>
        <span role="columnheader" className={own.corner}>
          <span className="sr">day</span>
        </span>
        {HOURS.map((hour) => (
          <span key={hour} role="columnheader" className={own.hour}>
            {two(hour)}
          </span>
        ))}
      </div>
      {days.map((day, row) => (
        <div key={day.date} role="row" className={own.row}>
          <span role="rowheader" className={own.day}>
            {wallText(`${day.date}T00:00:00`).slice(0, 3)} <small>{day.date.slice(5)}</small>
          </span>
          {day.cells.map((cell, hour) =>
            cell ? (
              <span key={HOURS[hour]} role="gridcell">
                <button
                  type="button"
                  className={own.cell}
                  data-cell={`${row}-${hour}`}
                  data-shade={shades.get(cell.fires) ?? 4}
                  aria-pressed={isChosen(cell)}
                  aria-label={labelOf(day.date, hour, cell, found.about)}
                  title={labelOf(day.date, hour, cell, found.about)}
                  tabIndex={
                    (hasChosen ? isChosen(cell) : row === first && cell === day.cells.find(Boolean))
                      ? 0
                      : -1
                  }
                  onKeyDown={(event) => pressed(event, row, hour)}
                  onClick={() => choose(cell.hours[0]?.at_ms ?? 0)}
                >
                  {cell.fires > 0 && short(cell.fires)}
                </button>
              </span>
            ) : (
              <span key={HOURS[hour]} role="gridcell" className={own.none} />
            ),
          )}
        </div>
      ))}
    </div>
  );
}

function Hour({ project, q, tz, at }: { project: string; q: string; tz: string; at: number }) {
  const { data, error } = useQuery(inHour(project, q, tz, at));
  if (error && !data) return <ErrorView error={error} />;
  if (!data) return <Skeleton rows={3} />;
  if (data.items.length === 0) return <p className={css.faint}>Nothing fires in this hour.</p>;
  return (
    <ul className={own.inHour}>
      {data.items.map((one) => (
        <li key={one.id}>
          <Link to="/p/$project/schedules/$id" params={{ project, id: one.id }} search={{}}>
            <Text value={one.name} limit={200} />
          </Link>{" "}
          <span className={css.faint}>
            {one.about && "about "}
            {plural(one.fires, "fire")}
          </span>
        </li>
      ))}
    </ul>
  );
}

export function WeekMap({ project }: { project: string }) {
  const { q, row, set } = useUrl();
  const tz = viewerZone();
  const { data, error } = useQuery({
    ...week(project, q, tz),
    placeholderData: keepPreviousData,
    refetchInterval: usePace(PACE_MS),
  });
  const problem = useQueryProblem();
  useEffect(() => {
    setQueryProblem(error instanceof Problem && error.code.startsWith("query.") ? error : null);
    return () => setQueryProblem(null);
  }, [error]);
  const days = useMemo(() => daysOf(data?.hours ?? []), [data]);
  if (error && !data && !problem) return <ErrorView error={error} />;
  if (!data) return <Skeleton rows={9} />;
  const chosen = Number(row) || 0;
  const cell = days.flatMap((day) => day.cells).find((one) => one?.hours[0]?.at_ms === chosen);
  const total = data.hours.reduce((sum, hour) => sum + hour.fires, 0);
  return (
    <>
      <p className={own.said}>
        <b>
          {data.about && "about "}
          {count(total)}
        </b>{" "}
        fires of {plural(data.schedules - data.idle, "schedule")} in the next 7 days, in {tz}
        {data.idle > 0 && <> · {plural(data.idle, "does not", "do not")} fire in them</>}
        {data.left_out > 0 && (
          <span className={css.warn}>
            {" "}
            · {plural(data.left_out, "schedule")} not counted: narrow the search
          </span>
        )}
        .
      </p>
      <Grid
        found={data}
        days={days}
        chosen={chosen}
        choose={(at) => set({ row: at === chosen ? undefined : String(at) }, true)}
      />
      {cell && (
        <section className={css.section} aria-live="polite">
          <h2>
            {wallText(cell.hours[0]?.local ?? "")} · {plural(cell.fires, "fire")} of{" "}
            {plural(cell.schedules, "schedule")}
          </h2>
          <Hour project={project} q={q} tz={tz} at={chosen} />
        </section>
      )}
    </>
  );
}
