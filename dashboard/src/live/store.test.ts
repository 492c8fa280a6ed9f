import { describe, expect, test } from "vitest";
import type { RowsEvent, Task, TaskPage } from "../api/types";
import { TaskList } from "./store";

const row = (ref: string, v = 1, state: Task["state"] = "running"): Task =>
  ({ ref, v, state, task: "shop.charge", id: ref }) as Task;
const page = (items: Task[], next: string | null = null): TaskPage => ({
  items,
  next,
  total: { value: items.length, approx: false, q: "" },
  as_of: 1,
  watermark: "1",
});
const event = (change: Partial<RowsEvent>): RowsEvent => ({ up: [], new: [], gone: [], ...change });
const refs = (list: TaskList) => list.snapshot().rows.map((one) => one.ref);

function listOf(...items: Task[]): TaskList {
  const list = new TaskList();
  list.reset(page(items));
  return list;
}

describe("the live list", () => {
  test("a row changes only by a higher version", () => {
    const list = listOf(row("a", 5));

    list.apply(event({ up: [["a", 5, { state: "failed" }]] }), false, 10);
    list.apply(event({ up: [["a", 4, { state: "failed" }]] }), false, 10);
    expect(list.row("a")?.state).toBe("running");

    list.apply(event({ up: [["a", 6, { state: "succeeded" }]] }), false, 10);
    expect(list.row("a")).toMatchObject({ state: "succeeded", v: 6, task: "shop.charge" });
  });

  test("unknown refs are ignored", () => {
    const list = listOf(row("a"));

    list.apply(event({ up: [["x", 9, { state: "failed" }]], gone: ["y"] }), false, 10);

    expect(refs(list)).toEqual(["a"]);
  });

  test("new rows wait while the reader is held, and come in newest first", () => {
    const list = listOf(row("a"));

    list.apply(event({ new: [row("b")] }), true, 10);
    list.apply(event({ new: [row("c")] }), true, 11);
    expect(refs(list)).toEqual(["a"]);
    expect(list.snapshot().waiting).toBe(2);

    list.release(12);
    expect(refs(list)).toEqual(["c", "b", "a"]);
    expect(list.snapshot().waiting).toBe(0);
  });

  test("waiting rows are patched and can leave before they are seen", () => {
    const list = listOf();
    list.apply(event({ new: [row("b"), row("c")] }), true, 10);

    list.apply(event({ up: [["b", 2, { state: "failed" }]], gone: ["c"] }), true, 11);
    list.release(12);

    expect(list.snapshot().rows).toMatchObject([{ ref: "b", state: "failed", v: 2 }]);
  });

  test("a resent row does not appear twice", () => {
    const list = listOf(row("a"));

    list.apply(event({ new: [row("a"), row("b")] }), false, 10);
    list.apply(event({ new: [row("b")] }), false, 11);

    expect(refs(list)).toEqual(["b", "a"]);
  });

  test("rows that no longer match leave", () => {
    const list = listOf(row("a"), row("b"));

    list.apply(event({ gone: ["a"] }), true, 10);

    expect(refs(list)).toEqual(["b"]);
    expect(list.row("a")).toBeUndefined();
  });

  test("the next page joins without doubling what the stream has brought", () => {
    const list = listOf(row("a"));
    list.apply(event({ new: [row("n", 3)] }), false, 10);

    list.append(page([row("n", 1), row("z")], "cursor"));

    expect(refs(list)).toEqual(["n", "a", "z"]);
    expect(list.row("n")?.v).toBe(3);
    expect(list.snapshot().next).toBe("cursor");
  });

  test("only a change of state lights a row up", () => {
    const list = listOf(row("a"));

    list.apply(event({ up: [["a", 2, { worker: "w" }]] }), false, 50);
    expect(list.changedAt("a")).toBe(0);

    list.apply(event({ up: [["a", 3, { state: "failed" }]] }), false, 60);
    expect(list.changedAt("a")).toBe(60);
  });
});
