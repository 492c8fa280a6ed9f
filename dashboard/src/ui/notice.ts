/** Short messages to the reader, read out politely. */
import { useSyncExternalStore } from "react";

export type Notice = { id: number; text: string; tone: "info" | "bad" };

let notices: Notice[] = [];
let serial = 0;
const watchers = new Set<() => void>();
const SHOWN_MS = 6000;

function publish(next: Notice[]): void {
  notices = next;
  for (const watcher of watchers) watcher();
}

export function dismiss(id: number): void {
  publish(notices.filter((notice) => notice.id !== id));
}

export function say(text: string, tone: Notice["tone"] = "info"): void {
  serial += 1;
  const id = serial;
  publish([...notices.slice(-3), { id, text, tone }]);
  setTimeout(() => dismiss(id), SHOWN_MS);
}

export function useNotices(): Notice[] {
  return useSyncExternalStore(
    (watcher) => {
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
    () => notices,
  );
}
