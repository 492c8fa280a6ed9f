/** The virtual list of tasks. The rule: it renders what is seen and asks for the next page before the reader arrives. */
import {
  type MouseEvent,
  type RefObject,
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import type { Task } from "../api/types";
import { useIsDense, useIsNarrow } from "../ui/media";
import { type Collapsed, chosenColumns, collapse, fitting, type Room, roomOf } from "./columns";
import { GridHead } from "./GridHead";
import css from "./grid.module.css";
import { TaskRow } from "./TaskRow";
import { useWindow } from "./useWindow";
import { revealOffset, wantsMore } from "./window";

export type GridHandle = { isAtTop: () => boolean; toTop: () => void };

type Props = {
  rows: readonly Task[];
  total: number;
  hasMore: boolean;
  cols: string;
  sort: string;
  active: number;
  open: string;
  isDim: boolean;
  handle: RefObject<GridHandle | null>;
  isSelected: (ref: string) => boolean;
  isFresh: (ref: string) => boolean;
  hrefOf: (row: Task) => string;
  onSort: (sort: string) => void;
  onCollapsed: (equal: Collapsed[]) => void;
  onMore: () => void;
  onOpen: (row: Task, index: number, event: MouseEvent) => void;
  onSelect: (row: Task, index: number, isRange: boolean) => void;
};

function useRowHeight(): number {
  const isCard = useIsNarrow();
  const isDense = useIsDense();
  if (isCard) return 54;
  return isDense ? 28 : 36;
}

function useRoom(box: RefObject<HTMLDivElement | null>): Room {
  const [room, setRoom] = useState<Room>("wide");
  useLayoutEffect(() => {
    const node = box.current;
    if (!node) return undefined;
    const observer = new ResizeObserver(() => setRoom(roomOf(node.clientWidth)));
    observer.observe(node);
    return () => observer.disconnect();
  }, [box]);
  return room;
}

function useReveal(box: RefObject<HTMLDivElement | null>, active: number, rowHeight: number): void {
  useEffect(() => {
    const node = box.current;
    if (!node || active < 0) return;
    const offset = revealOffset(active, node.scrollTop, node.clientHeight, rowHeight);
    if (offset !== null) node.scrollTop = offset;
    const isOurs =
      node.contains(document.activeElement) || document.activeElement === document.body;
    if (!isOurs) return;
    requestAnimationFrame(() =>
      node.querySelector<HTMLElement>(`[data-row="${active}"]`)?.focus({ preventScroll: true }),
    );
  }, [box, active, rowHeight]);
}

export function TaskGrid(props: Props) {
  const { rows, cols, onCollapsed, hasMore, onMore, active, handle } = props;
  const box = useRef<HTMLDivElement>(null);
  const rowHeight = useRowHeight();
  const isCard = useIsNarrow();
  const seen = useWindow(box, rows.length, rowHeight);
  const room = useRoom(box);
  const { open, equal } = useMemo(
    () => collapse(fitting(chosenColumns(cols), room), rows),
    [cols, rows, room],
  );
  // As many places as rows are ever drawn at once: a row that leaves gives its place to one that enters.
  const slots = Math.max(64, Math.ceil((seen.to - seen.from) / 64) * 64);
  const signature = equal.map((one) => `${one.column.id}=${one.value}`).join("\n");
  const template = isCard ? "1fr" : ["26px", ...open.map((column) => column.width)].join(" ");
  // biome-ignore lint/correctness/useExhaustiveDependencies: the signature stands for the collapsed columns
  useEffect(() => onCollapsed(equal), [signature]);
  useEffect(() => {
    if (hasMore && wantsMore(seen, rows.length)) onMore();
  }, [seen, rows.length, hasMore, onMore]);
  useReveal(box, active, rowHeight);
  handle.current = {
    isAtTop: seen.isAtTop,
    toTop: () => box.current?.scrollTo({ top: 0 }),
  };
  return (
    <div
      className={css.grid}
      role="grid"
      aria-label="tasks"
      aria-rowcount={props.total + 1}
      aria-colcount={open.length + 1}
      aria-multiselectable="true"
      data-dim={props.isDim || undefined}
      style={{ ["--cols" as string]: template, ["--row-h" as string]: `${rowHeight}px` }}
    >
      {!isCard && <GridHead columns={open} sort={props.sort} onSort={props.onSort} />}
      <div ref={box} className={css.scroll} data-scroll="tasks" tabIndex={-1}>
        <div role="rowgroup" className={css.body} style={{ height: rows.length * rowHeight }}>
          {rows.slice(seen.from, seen.to).map((row, at) => {
            const index = seen.from + at;
            return (
              <TaskRow
                key={index % slots}
                row={row}
                index={index}
                top={index * rowHeight}
                columns={open}
                href={props.hrefOf(row)}
                isActive={index === active || (active < 0 && index === 0)}
                isOpen={row.ref === props.open}
                isSelected={props.isSelected(row.ref)}
                isFresh={props.isFresh(row.ref)}
                isCard={isCard}
                onOpen={props.onOpen}
                onSelect={props.onSelect}
              />
            );
          })}
        </div>
        {hasMore && <div className={css.tail}>reading on…</div>}
      </div>
    </div>
  );
}
