/** A cell per day of the last 53 weeks. The rule: the worst of a day has its own shape, shades count what went well. */
import { useQuery } from "@tanstack/react-query";
import { days } from "../api/scheduleQueries";
import type { FireDay, Schedule } from "../api/types";
import css from "../routes/page.module.css";
import { brainNow } from "../ui/clock";
import { count, plural } from "../ui/format";
import { ErrorView, Skeleton } from "../ui/parts";
import { wallOf } from "./form/ZoneField";
import own from "./schedule.module.css";
import { zoneOf } from "./When";

const CELL = 12;
const WEEKS = 53;
const LEFT = 26;
const TOP = 14;
const DAY_MS = 86_400_000;
const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

export type Cell = { day: string; week: number; weekday: number; found: FireDay | null };

/** 53 columns of Monday to Sunday, the last holds `today` (ISO date). */
export function cellsOf(today: string, list: FireDay[]): Cell[] {
  const known = new Map(list.map((one) => [one.day, one]));
  const end = Date.parse(`${today}T00:00:00Z`);
  const weekday = (new Date(end).getUTCDay() + 6) % 7;
  const start = end - (weekday + (WEEKS - 1) * 7) * DAY_MS;
  const cells: Cell[] = [];
  for (let at = start; at <= end; at += DAY_MS) {
    const n = (at - start) / DAY_MS;
    const day = new Date(at).toISOString().slice(0, 10);
    cells.push({ day, week: Math.floor(n / 7), weekday: n % 7, found: known.get(day) ?? null });
  }
  return cells;
}

export function worstOf(day: FireDay): "failed" | "missed" | "late" | null {
  if (day.failed > 0) return "failed";
  if (day.missed > 0) return "missed";
  return day.late > 0 ? "late" : null;
}

/** 0 for none, 1 to 3 by share of the busiest day. */
export function heatOf(fires: number, most: number): number {
  return fires === 0 ? 0 : Math.max(1, Math.min(3, Math.ceil((fires / Math.max(1, most)) * 3)));
}

function wordsOf(day: FireDay): string {
  const parts = (["failed", "missed", "late", "skipped"] as const).flatMap((name) =>
    day[name] > 0 ? [`${count(day[name])} ${name}`] : [],
  );
  return [`${day.day}: ${plural(day.fires, "fire")}`, ...parts].join(", ");
}

function DayCell({ cell, most }: { cell: Cell; most: number }) {
  const { found } = cell;
  const bad = found ? worstOf(found) : null;
  return (
    <g
      transform={`translate(${LEFT + cell.week * CELL} ${TOP + cell.weekday * CELL})`}
      data-heat={heatOf(found?.fires ?? 0, most)}
      data-bad={bad ?? undefined}
    >
      <title>{found ? wordsOf(found) : `${cell.day}: no fires`}</title>
      <rect x="1" y="1" width="10" height="10" rx="2" />
      {bad === "failed" && <path d="M3.6 3.6l4.8 4.8M8.4 3.6 3.6 8.4" />}
      {bad === "late" && <path d="M2.4 2.4h7.2v3.2H2.4z" />}
    </g>
  );
}

/** The date (ISO) in a zone; in UTC where the browser does not know the zone. */
function dayIn(zone: string, at: number): string {
  const timeZone = wallOf(zone, at) === null ? "UTC" : zone;
  return new Intl.DateTimeFormat("en-CA", { timeZone }).format(at);
}

export function YearMap({ project, schedule }: { project: string; schedule: Schedule }) {
  const today = dayIn(zoneOf(schedule.specs), brainNow());
  const year = Number(today.slice(0, 4));
  const now = useQuery(days(project, schedule.id, year));
  const before = useQuery(days(project, schedule.id, year - 1));
  const error = now.error ?? before.error;
  if (error) return <ErrorView error={error} />;
  if (!now.data || !before.data) return <Skeleton rows={3} />;
  const cells = cellsOf(today, [...before.data.days, ...now.data.days]);
  const found = cells.flatMap((cell) => (cell.found ? [cell.found] : []));
  if (found.length === 0) return <p className={css.faint}>No fires in the last 53 weeks.</p>;
  const most = Math.max(1, ...found.map((one) => one.fires));
  const bad = found.filter((one) => worstOf(one) !== null).length;
  const total = found.reduce((sum, one) => sum + one.fires, 0);
  const firsts = cells.filter((cell) => cell.weekday === 0 && Number(cell.day.slice(8)) <= 7);
  const width = LEFT + WEEKS * CELL;
  return (
    <>
      <div className={own.yearWrap}>
        <svg
          className={own.year}
          width={width}
          height={TOP + 7 * CELL}
          viewBox={`0 0 ${width} ${TOP + 7 * CELL}`}
          role="img"
          aria-label={`${plural(total, "fire")} in 53 weeks, trouble on ${plural(bad, "day")}`}
        >
          {firsts.map((cell) => (
            <text key={cell.day} x={LEFT + cell.week * CELL} y="10">
              {MONTHS[Number(cell.day.slice(5, 7)) - 1]}
            </text>
          ))}
          {["Mon", "Wed", "Fri"].map((name, at) => (
            <text key={name} x="0" y={TOP + at * 2 * CELL + 10}>
              {name}
            </text>
          ))}
          {cells.map((cell) => (
            <DayCell key={cell.day} cell={cell} most={most} />
          ))}
        </svg>
      </div>
      <p className={css.faint}>
        Darker is more fires. Trouble has a shape: a cross for failed, dashes for missed, a half for
        late.
      </p>
    </>
  );
}
