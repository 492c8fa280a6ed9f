/** Column names; a click sorts on the server. */
import type { Column } from "./columns";
import css from "./grid.module.css";

type Props = { columns: Column[]; sort: string; onSort: (sort: string) => void };

function Sorter({ column, sort, onSort }: { column: Column } & Omit<Props, "columns">) {
  const isOn = sort.replace("-", "") === column.sort;
  const isDown = sort.startsWith("-");
  return (
    <button
      type="button"
      className={css.sorter}
      data-on={isOn || undefined}
      onClick={() => onSort(isOn && isDown ? (column.sort ?? "") : `-${column.sort}`)}
    >
      {column.label}
      <span aria-hidden="true">{isOn ? (isDown ? " ↓" : " ↑") : ""}</span>
    </button>
  );
}

function direction(column: Column, sort: string): "ascending" | "descending" | undefined {
  if (sort.replace("-", "") !== column.sort) return undefined;
  return sort.startsWith("-") ? "descending" : "ascending";
}

export function GridHead({ columns, sort, onSort }: Props) {
  return (
    <div role="rowgroup">
      <div role="row" aria-rowindex={1} className={css.head}>
        <div role="columnheader" aria-label="selected" />
        {columns.map((column) => (
          <div
            key={column.id}
            role="columnheader"
            aria-label={column.label || column.id}
            aria-sort={direction(column, sort)}
            className={column.align === "end" ? css.end : css.cell}
          >
            {column.sort ? <Sorter column={column} sort={sort} onSort={onSort} /> : column.label}
          </div>
        ))}
      </div>
    </div>
  );
}
