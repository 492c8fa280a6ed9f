/** The rows of a table that are near the viewport of the page that scrolls it. The rule: heights are measured, never assumed. */
import { type RefObject, useEffect, useLayoutEffect, useState } from "react";
import { revealOffset, type Window, windowOf } from "./window";

const FIRST = 40;
const USUAL_PX = 29;

/** What is above the rows inside the element that scrolls them, in px. */
function topOf(body: HTMLElement, box: HTMLElement): number {
  return body.getBoundingClientRect().top - box.getBoundingClientRect().top + box.scrollTop;
}

function boxOf(body: HTMLElement | null): HTMLElement | null {
  return body?.closest<HTMLElement>("[data-scroll]") ?? null;
}

export type RowsSeen = Window & { rowHeight: number };

/** Rows `[from, to)` of `count`; all of them where `isAll`. `active` is scrolled to when it changes. */
export function useRowsSeen(
  body: RefObject<HTMLElement | null>,
  count: number,
  isAll: boolean,
  active: number,
): RowsSeen {
  const [seen, setSeen] = useState<RowsSeen>({
    from: 0,
    to: Math.min(count, FIRST),
    rowHeight: USUAL_PX,
  });
  useLayoutEffect(() => {
    const rows = body.current;
    const box = boxOf(rows);
    if (!rows || !box) return undefined;
    const measure = () => {
      const row = rows.querySelector<HTMLElement>("[aria-rowindex]");
      const rowHeight = row?.getBoundingClientRect().height || USUAL_PX;
      const above = Math.max(0, box.scrollTop - topOf(rows, box));
      const next = windowOf(above, box.clientHeight, rowHeight, count);
      setSeen((old) =>
        old.from === next.from && old.to === next.to && old.rowHeight === rowHeight
          ? old
          : { ...next, rowHeight },
      );
    };
    measure();
    box.addEventListener("scroll", measure, { passive: true });
    const observer = new ResizeObserver(measure);
    observer.observe(box);
    return () => {
      box.removeEventListener("scroll", measure);
      observer.disconnect();
    };
  }, [body, count]);
  const { rowHeight } = seen;
  useEffect(() => {
    const rows = body.current;
    const box = boxOf(rows);
    if (!rows || !box || active < 0) return;
    if (isAll) {
      rows.querySelector(`[aria-rowindex="${active + 2}"]`)?.scrollIntoView({ block: "nearest" });
      return;
    }
    // The head of the table sticks to the top of the box and covers one row.
    const top = topOf(rows, box);
    const at = box.scrollTop - top + rowHeight;
    const offset = revealOffset(active, at, box.clientHeight - rowHeight, rowHeight);
    if (offset !== null) box.scrollTop = offset + top - rowHeight;
  }, [body, active, isAll, rowHeight]);
  return isAll ? { ...seen, from: 0, to: count } : seen;
}
