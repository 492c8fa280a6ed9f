import { describe, expect, test } from "vitest";
import type { NextSlot } from "../api/types";
import { aroundOf, shownOf } from "./AroundChange";
import { nextChange } from "./clockChange";

const at = (text: string) => Date.parse(text);
const slot = (text: string): NextSlot => ({
  slot_ms: at(text),
  local: text,
  viewer_local: text,
  fold: 0,
  note: "",
  due_ms: at(text),
  tz: "America/New_York",
});

describe("the next change of the clocks", () => {
  test.each([
    ["America/New_York", "2026-11-28T00:00:00Z", "2027-03-14T07:00:00Z"],
    ["America/New_York", "2027-03-14T07:00:00Z", "2027-11-07T06:00:00Z"],
    ["Europe/Madrid", "2026-10-01T00:00:00Z", "2026-10-25T01:00:00Z"],
    ["Australia/Lord_Howe", "2026-04-06T00:00:00Z", "2026-10-03T15:30:00Z"],
  ])("of %s after %s is %s", (zone, from, change) => {
    expect(nextChange(zone, at(from))).toBe(at(change));
  });

  test.each(["UTC", "Asia/Kolkata", "No/Such_Zone"])("never comes in %s", (zone) => {
    expect(nextChange(zone, at("2026-11-28T00:00:00Z"))).toBeNull();
  });
});

describe("the slots around it", () => {
  const change = at("2027-03-14T07:00:00Z");

  test("are asked from two periods before it to two behind it", () => {
    const daily = [slot("2026-11-29T06:30:00Z"), slot("2026-11-30T06:30:00Z")];

    expect(aroundOf(daily, change)).toEqual({
      change,
      from: change - 49 * 3_600_000,
      to: change + 49 * 3_600_000,
    });
  });

  test("are not more than what one answer holds", () => {
    const minutely = [slot("2026-11-29T06:30:00Z"), slot("2026-11-29T06:31:00Z")];

    expect(aroundOf(minutely, change)?.from).toBe(change - 20 * 60_000);
  });

  test("are not asked when the next slots reach it, or none is to come", () => {
    expect(
      aroundOf([slot("2027-03-13T06:30:00Z"), slot("2027-03-15T06:30:00Z")], change),
    ).toBeNull();
    expect(aroundOf([], change)).toBeNull();
    expect(aroundOf([slot("2026-11-29T06:30:00Z")], null)).toBeNull();
  });

  test("are shown to the third before it and the fourth from it", () => {
    const minutes = Array.from({ length: 50 }, (_, n) => ({
      ...slot("2027-03-14T06:40:00Z"),
      slot_ms: at("2027-03-14T06:40:00Z") + n * 60_000,
    }));
    const shown = shownOf(minutes, { change, from: 0, to: change + 3_600_000 });

    expect(shown.map((one) => (one.slot_ms - change) / 60_000)).toEqual([-3, -2, -1, 0, 1, 2, 3]);
  });
});
