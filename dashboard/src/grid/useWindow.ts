/** The window of a scrolling element, re-rendered only when a block of rows enters or leaves. */
import { type RefObject, useCallback, useLayoutEffect, useState } from "react";
import { type Window, windowOf } from "./window";

export function useWindow(
  element: RefObject<HTMLElement | null>,
  count: number,
  rowHeight: number,
): Window & { isAtTop: () => boolean } {
  const [seen, setSeen] = useState<Window>(() => windowOf(0, 900, rowHeight, count));
  useLayoutEffect(() => {
    const node = element.current;
    if (!node) return undefined;
    const measure = () =>
      setSeen((old) => {
        const next = windowOf(node.scrollTop, node.clientHeight, rowHeight, count);
        return next.from === old.from && next.to === old.to ? old : next;
      });
    measure();
    node.addEventListener("scroll", measure, { passive: true });
    const observer = new ResizeObserver(measure);
    observer.observe(node);
    return () => {
      node.removeEventListener("scroll", measure);
      observer.disconnect();
    };
  }, [element, count, rowHeight]);
  const isAtTop = useCallback(
    () => (element.current?.scrollTop ?? 0) < rowHeight / 2,
    [element, rowHeight],
  );
  return { ...seen, isAtTop };
}
