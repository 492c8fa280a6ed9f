/** One row of the task list: cells at width, a two-line card on a phone. */
import { type MouseEvent, memo } from "react";
import type { Task } from "../api/types";
import { duration } from "../ui/format";
import { StateIcon } from "../ui/StateIcon";
import { Text } from "../ui/Text";
import { Time } from "../ui/Time";
import { type Column, errorOf } from "./columns";
import css from "./grid.module.css";

export type RowProps = {
  row: Task;
  index: number;
  top: number;
  columns: Column[];
  href: string;
  isActive: boolean;
  isOpen: boolean;
  isSelected: boolean;
  isFresh: boolean;
  isCard: boolean;
  onOpen: (row: Task, index: number, event: MouseEvent) => void;
  onSelect: (row: Task, index: number, isRange: boolean) => void;
};

function Check({ row, index, isSelected, onSelect }: RowProps) {
  return (
    <button
      type="button"
      className={css.check}
      role="checkbox"
      aria-checked={isSelected}
      aria-label={`select ${row.task}`}
      tabIndex={-1}
      onClick={(event) => {
        event.stopPropagation();
        onSelect(row, index, event.shiftKey);
      }}
    />
  );
}

function Cells({ row, columns, href }: RowProps) {
  return columns.map((column, at) => (
    <div
      key={column.id}
      role="gridcell"
      aria-colindex={at + 2}
      className={column.align === "end" ? css.end : css.cell}
      data-col={column.id}
    >
      {column.id === "task" ? (
        <a href={href} tabIndex={-1} className={css.name}>
          {column.cell(row)}
        </a>
      ) : (
        column.cell(row)
      )}
    </div>
  ));
}

function Card({ row, href }: RowProps) {
  return (
    <div role="gridcell" className={css.card}>
      <div className={css.cardLine}>
        <StateIcon state={row.state} />
        <a href={href} tabIndex={-1} className={css.name}>
          <Text value={row.task} limit={256} />
        </a>
        <span className={css.cardEnd}>
          {row.took_us !== null && <span>{duration(row.took_us)}</span>}
          <Time at={row.at} />
        </span>
      </div>
      <div className={css.cardSecond}>
        <span className={row.exc_type ? css.error : css.headline}>
          <Text value={errorOf(row) ?? row.headline} limit={256} />
        </span>
        {row.attempt > 1 && (
          <span className={css.cardEnd}>
            try {row.attempt}
            {row.max_attempts === null ? "" : `/${row.max_attempts}`}
          </span>
        )}
      </div>
    </div>
  );
}

export const TaskRow = memo(function TaskRow(props: RowProps) {
  const { row, index, top, isActive, isOpen, isSelected, isFresh, isCard, onOpen } = props;
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the grid owns j, k, Enter and x for its rows
    <div
      role="row"
      aria-rowindex={index + 2}
      aria-selected={isSelected}
      tabIndex={isActive ? 0 : -1}
      className={css.row}
      data-row={index}
      data-active={isActive || undefined}
      data-open={isOpen || undefined}
      data-fresh={isFresh || undefined}
      style={{ transform: `translateY(${top}px)` }}
      onClick={(event) => onOpen(row, index, event)}
    >
      {!isCard && <Check {...props} />}
      {isCard ? <Card {...props} /> : <Cells {...props} />}
    </div>
  );
});
