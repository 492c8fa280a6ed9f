import { describe, expect, test } from "vitest";
import type { DefinitionDoc, FireDay, NextSlot, Schedule } from "../api/types";
import { ELSEWHERE, listAt, wordsAt } from "../query/places";
import { inOrder } from "../routes/schedules";
import { endOf } from "./acts/PauseSheet";
import { summary } from "./FireStrip";
import { NEW } from "./form/draft";
import { marksOf, offsetText, wallText } from "./marks";
import { outcomeOf } from "./outcome";
import { policyLines, span } from "./policyWords";
import { patched } from "./useLiveSchedules";
import { cellsOf, heatOf, worstOf } from "./YearMap";

describe("what became of a fire", () => {
  test.each([
    [{ status: "sent", state: "succeeded", lag_ms: 12 }, "on time"],
    [{ status: "sent", state: "running", lag_ms: 4000 }, "late"],
    [{ status: "sent", state: "failed", lag_ms: 4000 }, "failed"],
    [{ status: "sent", state: "lost" }, "failed"],
    [{ status: "missed", state: null }, "missed"],
    [{ status: "skipped", state: null }, "skipped"],
    [{ status: "expired", state: null }, "skipped"],
    [{ status: "refused", state: null }, "failed"],
    [{ status: "duplicate_suppressed", state: "succeeded" }, "duplicate suppressed"],
    [{ status: "claimed", state: null }, "waiting"],
  ] as const)("%o is %s", (fire, outcome) => {
    expect(outcomeOf(fire, 1000)).toBe(outcome);
  });

  test("a strip is told in words", () => {
    const sent = {
      slot_ms: 1,
      status: "sent",
      state: "succeeded",
      lag_ms: 0,
      fire_id: "f",
    } as const;

    expect(summary([sent, { ...sent, state: "failed" }, sent], 0)).toBe(
      "newest fires: 2 on time, 1 failed",
    );
    expect(summary([], 0)).toBe("no fires yet");
  });
});

function slot(utc: string, local: string, viewer: string, more: Partial<NextSlot> = {}): NextSlot {
  return {
    slot_ms: Date.parse(utc),
    local,
    viewer_local: viewer,
    fold: 0,
    note: "",
    due_ms: Date.parse(utc),
    tz: "America/New_York",
    ...more,
  };
}

describe("changes of the clock", () => {
  const slots = [
    slot("2026-10-24T05:30:00Z", "2026-10-24T01:30:00", "2026-10-24T07:30:00"),
    slot("2026-10-25T05:30:00Z", "2026-10-25T01:30:00", "2026-10-25T06:30:00"),
    slot("2026-11-01T05:30:00Z", "2026-11-01T01:30:00", "2026-11-01T06:30:00"),
    slot("2026-11-01T06:30:00Z", "2026-11-01T01:30:00", "2026-11-01T07:30:00", {
      fold: 1,
      note: "fold2",
    }),
  ];

  test("are said at the first slot behind them, in the schedule's zone and in the viewer's", () => {
    expect(marksOf(slots, "Europe/Madrid")).toEqual([
      [],
      ["clocks went back in Europe/Madrid: UTC+1 from here"],
      [],
      [
        "the clock shows this time twice: this is the second",
        "clocks went back in America/New_York: UTC−5 from here",
      ],
    ]);
  });

  test("a skipped time says what became of it", () => {
    const gap = slot("2027-03-14T07:00:00Z", "2027-03-14T03:00:00", "2027-03-14T08:00:00", {
      note: "gap",
    });

    expect(marksOf([gap], "Europe/Madrid")[0]?.[0]).toMatch(/skips its time/);
  });

  test.each([
    [0, "UTC"],
    [-5 * 3_600_000, "UTC−5"],
    [19_800_000, "UTC+05:30"],
  ])("%i ms is %s", (ms, text) => {
    expect(offsetText(ms)).toBe(text);
  });

  test("a wall time shows its weekday, and seconds only where there are some", () => {
    expect(wallText("2026-11-01T01:30:00")).toBe("Sun 2026-11-01 01:30");
    expect(wallText("2026-11-01 01:30:15.250")).toBe("Sun 2026-11-01 01:30:15");
  });
});

describe("the rules in sentences", () => {
  const rules = NEW as unknown as DefinitionDoc;
  const of = (label: string, change: Partial<DefinitionDoc>) =>
    policyLines({ ...rules, ...change }).find((line) => line.label === label)?.text;

  test.each([
    ["catch-up", {}, "After an outage the latest slot of the last 1 d fires, once."],
    ["catch-up", { catchup: "skip" }, "Slots missed in an outage are not made up for."],
    ["overlap", {}, "Fires do not wait for each other."],
    ["failures", { pause_after_failures: 3 }, "It pauses itself after 3 failures in a row."],
    ["failures", { pause_after_failures: 1 }, "It pauses itself after a failure."],
    [
      "delivery",
      { delivery: "at_most_once" },
      "A fire that may have been sent is never sent again.",
    ],
    [
      "jitter",
      { jitter_s: 30, jitter_mode: "fixed" },
      "Each fire is up to 30 s later than its slot, always by the same amount.",
    ],
  ] as const)("%s", (label, change, text) => {
    expect(of(label, change)).toBe(text);
  });

  test("what is not set is not said", () => {
    expect(of("failures", {})).toBeUndefined();
    expect(of("expiry", {})).toBeUndefined();
  });

  test.each([
    [45, "45 s"],
    [5400, "1 h 30 min"],
    [172_800, "2 d"],
  ])("%i seconds are %s", (seconds, text) => {
    expect(span(seconds)).toBe(text);
  });
});

describe("the calendar of 53 weeks", () => {
  const day = (change: Partial<FireDay>): FireDay => ({
    day: "2026-11-28",
    fires: 4,
    failed: 0,
    missed: 0,
    skipped: 0,
    late: 0,
    ...change,
  });

  test("starts on a Monday and ends today", () => {
    const cells = cellsOf("2026-11-28", [day({})]);

    expect(cells[0]).toMatchObject({ weekday: 0, week: 0 });
    expect(cells.at(-1)).toMatchObject({ day: "2026-11-28", week: 52, weekday: 5 });
    expect(cells.at(-1)?.found?.fires).toBe(4);
  });

  test("a day shows the worst that happened on it", () => {
    expect(worstOf(day({ failed: 1, missed: 2 }))).toBe("failed");
    expect(worstOf(day({ missed: 2, late: 1 }))).toBe("missed");
    expect(worstOf(day({ late: 1 }))).toBe("late");
    expect(worstOf(day({ skipped: 9 }))).toBeNull();
  });

  test("a single fire is seen beside a busy day", () => {
    expect([0, 1, 500, 1000].map((fires) => heatOf(fires, 1000))).toEqual([0, 1, 2, 3]);
  });
});

describe("the search bar on schedules", () => {
  const schedulesBar = listAt("/p/shop/schedules") ?? ELSEWHERE;
  const firesBar = listAt("/p/shop/schedules/fires") ?? ELSEWHERE;

  test("searches the list that is open", () => {
    expect(listAt("/p/shop/schedules")?.name).toBe("schedules");
    expect(listAt("/p/shop/tasks/")?.name).toBe("tasks");
    expect(firesBar.name).toBe("fires");
    expect(listAt("/p/shop/schedules/new")).toBeNull();
  });

  test("offers the keys and standings of schedules", () => {
    expect(wordsAt(schedulesBar, "nightly is:pa", 13)).toEqual({
      from: 8,
      to: 13,
      items: [{ text: "is:paused", kind: "value", count: null, hint: "" }],
    });
    expect(wordsAt(schedulesBar, "ta", 2).items.map((item) => item.text)).toEqual([
      "task:",
      "tag:",
    ]);
  });

  test("offers what a fire can have become", () => {
    expect(wordsAt(firesBar, "status:du", 9).items.map((item) => item.text)).toEqual([
      "status:duplicate_suppressed",
    ]);
    expect(wordsAt(firesBar, "lag:>", 5).items).toEqual([]);
  });
});

describe("a list that is looked at", () => {
  const row = (id: string, name: string) => ({ id, name }) as unknown as Schedule;
  const list = {
    pages: [
      { items: [row("a", "one"), row("b", "two")], next: "x", total: 3 },
      { items: [row("c", "three")], next: null, total: 3 },
    ],
    pageParams: ["", "x"],
  };

  test("takes what changed, drops what is gone, and says when something is new", () => {
    const { list: next, isNew } = patched(list, { up: [row("c", "renamed")], gone: ["a"] });

    expect(next.pages.flatMap((page) => page.items.map((one) => one.name))).toEqual([
      "two",
      "renamed",
    ]);
    expect(next.pages[0]?.total).toBe(2);
    expect(isNew).toBe(false);
    expect(patched(list, { up: [row("d", "four")], gone: [] }).isNew).toBe(true);
  });

  test("shows silent ones first, then what fires next, then what does not fire", () => {
    const one = (name: string, due: number | null, more: object = {}) =>
      ({
        id: name,
        name,
        next_due_ms: due,
        enabled: true,
        paused: null,
        silent: null,
        ...more,
      }) as unknown as Schedule;
    const found = inOrder([
      one("over", null),
      one("later", 9),
      one("paused", 1, { paused: {} }),
      one("silent", 50, { silent: "group offline" }),
      one("soon", 2),
    ]);

    expect(found.map((each) => each.name)).toEqual(["silent", "soon", "later", "paused", "over"]);
  });
});

describe("until when a pause lasts", () => {
  test("is for ever, some hours or a time to come", () => {
    const now = Date.parse("2026-11-28T12:00:00Z");

    expect(endOf("", "", now)).toBeNull();
    expect(endOf("8", "", now)).toBe(now + 8 * 3_600_000);
    expect(endOf("at", "2099-01-01T00:00", now)).toBeGreaterThan(now);
    expect(endOf("at", "2001-01-01T00:00", now)).toBeUndefined();
    expect(endOf("at", "", now)).toBeUndefined();
  });
});
