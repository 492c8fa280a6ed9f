/** Which rows exist in the DOM. The rule: only what is near the viewport, whatever the list's length. */
export type Window = { from: number; to: number };

const BLOCK = 4;

/** Rows `[from, to)` for a scroll offset (px), in whole blocks so that small scrolls render nothing. */
export function windowOf(
  scrollTop: number,
  height: number,
  rowHeight: number,
  count: number,
  overscan = 8,
): Window {
  const first = Math.floor(Math.max(0, scrollTop) / rowHeight) - overscan;
  const last = Math.ceil((Math.max(0, scrollTop) + height) / rowHeight) + overscan;
  const from = Math.max(0, Math.min(Math.floor(first / BLOCK) * BLOCK, Math.max(0, count - BLOCK)));
  const to = Math.min(count, Math.ceil(last / BLOCK) * BLOCK);
  return { from, to: Math.max(from, to) };
}

/** The scroll offset that shows `index` with the least movement; null when it is in view. */
export function revealOffset(
  index: number,
  scrollTop: number,
  height: number,
  rowHeight: number,
): number | null {
  const top = index * rowHeight;
  if (top < scrollTop) return top;
  if (top + rowHeight > scrollTop + height) return top + rowHeight - height;
  return null;
}

/** True when the next page should be on its way. */
export function wantsMore(window: Window, count: number): boolean {
  const ahead = Math.min(400, count / 2);
  return window.to + ahead >= count;
}
