/** Which overlay of the shell is open: palette or keyboard sheet. */
import { useSyncExternalStore } from "react";

type Overlay = "palette" | "keys" | null;
let current: Overlay = null;
const watchers = new Set<() => void>();

function set(next: Overlay): void {
  current = next;
  for (const watcher of watchers) watcher();
}

export const showPalette = () => set("palette");
export const showKeys = () => set("keys");
export const hideOverlay = () => set(null);

export function useOverlay(): Overlay {
  return useSyncExternalStore(
    (watcher) => {
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
    () => current,
  );
}
