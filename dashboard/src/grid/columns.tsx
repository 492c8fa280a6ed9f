/** The columns of the task list. The rule: a column equal in every row moves to the header and leaves its width. */
import type { ReactNode } from "react";
import type { Task } from "../api/types";
import { DASH, duration } from "../ui/format";
import { StateIcon } from "../ui/StateIcon";
import { Text } from "../ui/Text";
import { Time } from "../ui/Time";
import css from "./grid.module.css";

export type Column = {
  id: string;
  label: string;
  width: string;
  sort?: string;
  align?: "end";
  /** The key in the query language that means this column. */
  key?: string;
  constant?: (row: Task) => string;
  cell: (row: Task) => ReactNode;
};

function Missing() {
  return <span className={css.missing}>{DASH}</span>;
}

function words(id: string, width: string, pick: (row: Task) => string | null): Column {
  return {
    id,
    label: id,
    width,
    key: id,
    constant: (row) => pick(row) ?? "",
    cell: (row) => {
      const value = pick(row);
      return value === null || value === "" ? <Missing /> : <Text value={value} limit={256} bare />;
    },
  };
}

/** `pkg.errors.CardDeclined` reads `CardDeclined` in a list; the detail has it whole. */
export function errorOf(row: Task): string | null {
  const name = row.exc_type?.split(".").at(-1);
  if (!name) return null;
  return row.exc_message ? `${name}: ${row.exc_message}` : name;
}

function Attempt({ row }: { row: Task }) {
  if (row.attempt === 0) return <Missing />;
  const isLate = row.attempt > 1;
  return (
    <span className={isLate ? css.strong : undefined}>
      {row.attempt}
      <span className={css.of}>{row.max_attempts === null ? "" : `/${row.max_attempts}`}</span>
    </span>
  );
}

export const COLUMNS: Column[] = [
  {
    id: "state",
    label: "",
    width: "24px",
    cell: (row) => <StateIcon state={row.state} />,
  },
  {
    id: "task",
    label: "task",
    width: "minmax(120px, 0.9fr)",
    sort: "task",
    key: "task",
    constant: (row) => row.task,
    cell: (row) => <Text value={row.task} limit={256} bare />,
  },
  {
    id: "headline",
    label: "args",
    width: "minmax(140px, 2fr)",
    cell: (row) => (
      <>
        <span className={css.headline}>
          <Text value={row.headline} limit={256} bare />
        </span>
        {row.exc_type && (
          <span className={css.error}>
            <Text value={errorOf(row)} limit={256} bare />
          </span>
        )}
      </>
    ),
  },
  words("engine", "72px", (row) => row.engine),
  { ...words("queue", "minmax(64px, 0.45fr)", (row) => row.queue), sort: "queue" },
  words("worker", "minmax(72px, 0.7fr)", (row) => row.worker),
  words("release", "80px", (row) => row.release),
  {
    ...words("priority", "60px", (row) => (row.priority === null ? null : String(row.priority))),
    align: "end",
  },
  {
    id: "wait",
    label: "wait",
    width: "68px",
    sort: "wait",
    align: "end",
    cell: (row) => (row.wait_us === null ? <Missing /> : duration(row.wait_us)),
  },
  {
    id: "took",
    label: "took",
    width: "72px",
    sort: "took",
    align: "end",
    cell: (row) =>
      row.state === "running" && row.started_at !== null ? (
        <span className={css.running}>
          <Time at={row.started_at} />
        </span>
      ) : row.took_us === null ? (
        <Missing />
      ) : (
        duration(row.took_us)
      ),
  },
  {
    id: "attempt",
    label: "try",
    width: "44px",
    sort: "attempt",
    align: "end",
    cell: (row) => <Attempt row={row} />,
  },
  {
    id: "at",
    label: "age",
    width: "60px",
    sort: "at",
    align: "end",
    cell: (row) => <Time at={row.at} />,
  },
];

export const OPTIONAL = ["engine", "release", "priority"];
const FIXED = COLUMNS.map((column) => column.id).filter((id) => !OPTIONAL.includes(id));

/** Columns for the URL's `cols` (`+engine,-wait`: changes to the default set). */
export function chosenColumns(cols: string): Column[] {
  const shown = new Set(FIXED);
  for (const change of cols.split(",")) {
    if (change.startsWith("-")) shown.delete(change.slice(1));
    else if (change) shown.add(change.replace(/^\+/, ""));
  }
  return COLUMNS.filter((column) => shown.has(column.id));
}

export type Room = "wide" | "medium" | "small";
const DROPPED: Record<Room, string[]> = {
  wide: [],
  medium: ["wait"],
  small: ["wait", "worker", "queue", "attempt"],
};

export function roomOf(width: number): Room {
  if (width >= 900) return "wide";
  return width >= 720 ? "medium" : "small";
}

/** The columns a list of this width can show without cutting every cell. */
export function fitting(columns: Column[], room: Room): Column[] {
  return columns.filter((column) => !DROPPED[room].includes(column.id));
}

export type Collapsed = { column: Column; value: string };

/** Split off the columns whose value is the same in every row. */
export function collapse(
  columns: Column[],
  rows: readonly Task[],
): { open: Column[]; equal: Collapsed[] } {
  const equal: Collapsed[] = [];
  const first = rows[0];
  if (!first || rows.length < 3) return { open: columns, equal };
  const open = columns.filter((column) => {
    const cellValue = column.constant;
    if (!cellValue || column.id === "task") return true;
    const value = cellValue(first);
    if (!rows.every((row) => cellValue(row) === value)) return true;
    equal.push({ column, value });
    return false;
  });
  return { open, equal };
}
