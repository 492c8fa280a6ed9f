import { describe, expect, test } from "vitest";
import type { Attempt } from "../api/types";
import { bucketWords, lonely, rangeOf, slotsAround, TICKS } from "./buckets";
import { placeFlow } from "./layout";
import { linesOf } from "./lines";
import { sparkPath } from "./Sparkline";
import { stack } from "./Strip";
import { barsOf } from "./Waterfall";

const attempt = (change: Partial<Attempt>): Attempt =>
  ({
    attempt: 1,
    state: "succeeded",
    queued_at: null,
    received_at: null,
    started_at: null,
    finished_at: null,
    next_at: null,
    ...change,
  }) as Attempt;

describe("the waterfall", () => {
  test("draws the four phases of an attempt", () => {
    const bars = barsOf(
      attempt({ queued_at: 0, received_at: 10, started_at: 15, finished_at: 40, next_at: 90 }),
      1000,
    );

    expect(bars).toEqual([
      { phase: "queued", from: 0, to: 10 },
      { phase: "received", from: 10, to: 15 },
      { phase: "run", from: 15, to: 40 },
      { phase: "gap", from: 40, to: 90 },
    ]);
  });

  test("lets a running attempt grow to now and an unknown end stand still", () => {
    expect(barsOf(attempt({ state: "running", started_at: 100 }), 250).at(-1)).toMatchObject({
      to: 250,
    });
    expect(barsOf(attempt({ state: "lost", started_at: 100 }), 250).at(-1)).toMatchObject({
      to: 100,
    });
  });
});

describe("a scale", () => {
  test("has room for the bucket that is still filling", () => {
    const lines = [
      { scale: "us", values: [100, null, 5000] },
      { scale: "pct", values: [9000] },
    ];

    expect(rangeOf(lines, "us")).toEqual([0, 5400]);
  });
});

describe("the strip", () => {
  test("keeps a single failure among thousands visible", () => {
    const paths = stack([{ at: 0, counts: { succeeded: 100_000, failed: 1 } }], 1);

    expect(paths.map((path) => path.state)).toEqual(["succeeded", "failed"]);
    expect(paths[1]?.d).toBe("M0 6.0V0.0h0.82V6.0z");
  });
});

describe("the sparkline", () => {
  test("breaks at a gap instead of bridging it", () => {
    expect(sparkPath([1, null, 1, 1], 30, 10).match(/M/g)).toHaveLength(2);
  });
});

describe("the flow", () => {
  test("places parents left of children and every node once", () => {
    const placed = placeFlow(
      ["a", "b", "c", "d"],
      [
        ["a", "b"],
        ["a", "c"],
        ["b", "d"],
        ["c", "d"],
      ],
    );

    expect(placed.map((one) => one.column)).toEqual([0, 1, 1, 2]);
    expect(new Set(placed.map((one) => `${one.column}/${one.line}`)).size).toBe(4);
  });

  test("ends on a cycle", () => {
    expect(
      placeFlow(
        ["a", "b"],
        [
          ["a", "b"],
          ["b", "a"],
        ],
      ),
    ).toHaveLength(2);
  });
});

describe("buckets on an axis", () => {
  const minute = 60_000;

  test("never leave a lone bucket the whole width", () => {
    expect(slotsAround(100 * minute + 5, 101 * minute + 5, minute)).toEqual([
      87 * minute,
      102 * minute,
    ]);
  });

  test("have no two ticks with one label", () => {
    expect(Math.min(...TICKS)).toBe(60);
  });

  test("without a neighbour are dots", () => {
    expect(lonely([1, null, 2, 3, null, 0])).toEqual([0, 5]);
  });

  test("say that they are still filling", () => {
    expect(bucketWords(0, minute, true)).toMatch(/^\d\d:00–\d\d:01, so far$/);
  });

  test("that were not sent stay gaps", () => {
    const point = {
      succeeded: 1,
      failed: 1,
      cancelled: 0,
      retried: 0,
      fail_pct: 50,
      p95_took_us: 1,
    };
    const series = [
      { at: 0, ...point },
      { at: 3 * minute, ...point },
    ];

    const { at, counts } = linesOf({ from_at: 0, to_at: 4 * minute, step_ms: minute, series });

    expect(at).toEqual([0, minute, 2 * minute, 3 * minute]);
    expect(counts.map((line) => line.values)).toEqual([
      [2, null, null, 2],
      [1, null, null, 1],
    ]);
  });
});
