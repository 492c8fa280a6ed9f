import { describe, expect, test } from "vitest";
import type { Task } from "../api/types";
import { chosenColumns, collapse, fitting, roomOf } from "./columns";
import { revealOffset, wantsMore, windowOf } from "./window";

describe("the window", () => {
  test("covers the viewport at every offset of a hundred thousand rows", () => {
    for (let top = 0; top < 100_000 * 28; top += 9973) {
      const { from, to } = windowOf(top, 800, 28, 100_000);

      expect(from * 28).toBeLessThanOrEqual(top);
      expect(to * 28).toBeGreaterThanOrEqual(Math.min(top + 800, 100_000 * 28));
      expect(to - from).toBeLessThan(60);
    }
  });

  test("stays the same while a block of rows is scrolled", () => {
    expect(windowOf(2801, 800, 28, 1000)).toEqual(windowOf(2811, 800, 28, 1000));
  });

  test("is empty without rows and never negative", () => {
    expect(windowOf(-50, 800, 28, 0)).toEqual({ from: 0, to: 0 });
    expect(windowOf(1e9, 800, 28, 10)).toMatchObject({ to: 10 });
  });

  test("moves no further than a row needs", () => {
    expect(revealOffset(0, 280, 800, 28)).toBe(0);
    expect(revealOffset(20, 280, 800, 28)).toBeNull();
    expect(revealOffset(100, 280, 800, 28)).toBe(101 * 28 - 800);
  });

  test("asks for the next page before the end is reached", () => {
    expect(wantsMore({ from: 0, to: 40 }, 1000)).toBe(false);
    expect(wantsMore({ from: 680, to: 720 }, 1000)).toBe(true);
  });
});

const rows = (...queues: string[]) =>
  queues.map((queue) => ({ queue, worker: "w", task: "t", priority: null }) as unknown as Task);

describe("columns", () => {
  test("equal in every row collapse into the header", () => {
    const { open, equal } = collapse(chosenColumns(""), rows("mail", "mail", "mail"));

    expect(equal.map((one) => [one.column.id, one.value])).toEqual([
      ["queue", "mail"],
      ["worker", "w"],
    ]);
    expect(open.map((column) => column.id)).toContain("task");
  });

  test("with two values stay", () => {
    const { equal } = collapse(chosenColumns(""), rows("mail", "mail", "pay"));

    expect(equal.map((one) => one.column.id)).toEqual(["worker"]);
  });

  test("follow the changes in the URL", () => {
    const ids = chosenColumns("+engine,-wait").map((column) => column.id);

    expect(ids).toContain("engine");
    expect(ids).not.toContain("wait");
  });

  test("that do not fit are left out, the name and the age never", () => {
    const ids = fitting(chosenColumns(""), roomOf(600)).map((column) => column.id);

    expect(ids).toEqual(["state", "task", "headline", "took", "at"]);
  });
});
