import { describe, expect, test } from "vitest";
import type { WeekHour } from "../api/types";
import { datesOf, weekendWords } from "./calendar";
import { daysOf, shadesOf, stepped } from "./week";

const hour = (local: string, fires: number, at_ms = 0): WeekHour => ({
  at_ms,
  local,
  fires,
  schedules: fires > 0 ? 1 : 0,
});

describe("the week", () => {
  test("has a row per date and no cell where it has no hour", () => {
    const days = daysOf([hour("2026-06-01T23:00:00", 1), hour("2026-06-02T00:00:00", 2)]);

    expect(days.map((day) => day.date)).toEqual(["2026-06-01", "2026-06-02"]);
    expect(days[0]?.cells.map((cell) => cell?.fires ?? null).slice(21)).toEqual([null, null, 1]);
    expect(days[1]?.cells[0]?.fires).toBe(2);
  });

  test("keeps both hours that the clock shows alike in one cell", () => {
    const days = daysOf([hour("2026-10-25T02:00:00", 3, 1), hour("2026-10-25T02:00:00", 4, 2)]);

    expect(days[0]?.cells[2]).toMatchObject({ fires: 7, hours: [{ at_ms: 1 }, { at_ms: 2 }] });
  });

  test("shades by rank, so that one busy hour does not pale the others", () => {
    const shades = shadesOf([0, 1, 2, 60, 90_000].map((fires) => hour("", fires)));

    expect([0, 1, 2, 60, 90_000].map((fires) => shades.get(fires))).toEqual([0, 1, 2, 3, 4]);
    expect(shadesOf([hour("", 5)]).get(5)).toBe(2);
  });

  test("is walked by arrows and never left", () => {
    const days = daysOf([hour("2026-06-01T23:00:00", 1), hour("2026-06-02T00:00:00", 2)]);

    expect(stepped(days, 0, 23, "ArrowDown")).toEqual([1, 0]);
    expect(stepped(days, 0, 23, "ArrowRight")).toEqual([0, 23]);
    expect(stepped(days, 1, 0, "ArrowDown")).toEqual([1, 0]);
  });
});

describe("days off as text", () => {
  test("are read in any order, once each, and the first that is none is named", () => {
    expect(datesOf("2027-01-01, 2026-12-25\n2026-12-25")).toEqual({
      dates: ["2026-12-25", "2027-01-01"],
      wrong: null,
    });
    expect(datesOf("2026-12-25 2026-02-30 x").wrong).toBe("2026-02-30");
  });

  test("name the days of the week from Monday", () => {
    expect(weekendWords([0, 6])).toBe("Saturday and Sunday");
    expect(weekendWords([5])).toBe("Friday");
  });
});
