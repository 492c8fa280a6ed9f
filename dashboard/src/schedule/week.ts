/** The hours of a week as rows of days. The rule: an hour the clock shows twice stands in one cell, with both. */
import type { WeekHour } from "../api/types";

export type Cell = { hours: WeekHour[]; fires: number; schedules: number };
export type Day = { date: string; cells: (Cell | null)[] };

/** A row per local date, 24 cells each; null where the week has no such hour. */
export function daysOf(hours: WeekHour[]): Day[] {
  const days = new Map<string, Day>();
  for (const hour of hours) {
    const [date = "", time = ""] = hour.local.split("T");
    const day = days.get(date) ?? { date, cells: Array.from({ length: 24 }, () => null) };
    const at = Number(time.slice(0, 2));
    const cell = day.cells[at] ?? { hours: [], fires: 0, schedules: 0 };
    cell.hours.push(hour);
    cell.fires += hour.fires;
    cell.schedules = Math.max(cell.schedules, hour.schedules);
    day.cells[at] = cell;
    days.set(date, day);
  }
  return [...days.values()];
}

/** The shade of each number of fires: 0 for none, then 1 to 4 by its rank among the numbers there are. */
export function shadesOf(hours: WeekHour[]): Map<number, number> {
  const known = [...new Set(hours.map((hour) => hour.fires).filter((fires) => fires > 0))];
  known.sort((a, b) => a - b);
  const shades = new Map([[0, 0]]);
  for (const [at, fires] of known.entries()) {
    shades.set(fires, known.length < 2 ? 2 : 1 + Math.round((at / (known.length - 1)) * 3));
  }
  return shades;
}

/** The cell an arrow key leads to; where the week has none, the nearest in that row. */
export function stepped(days: Day[], day: number, hour: number, key: string): [number, number] {
  const down = key === "ArrowDown" ? 1 : key === "ArrowUp" ? -1 : 0;
  const right = key === "ArrowRight" ? 1 : key === "ArrowLeft" ? -1 : 0;
  const row = Math.max(0, Math.min(days.length - 1, day + down));
  const wanted = Math.max(0, Math.min(23, hour + right));
  const known = days[row]?.cells.flatMap((cell, at) => (cell ? [at] : [])) ?? [];
  const nearest = known.reduce(
    (best, at) => (Math.abs(at - wanted) < Math.abs(best - wanted) ? at : best),
    known[0] ?? 0,
  );
  return [row, nearest];
}
