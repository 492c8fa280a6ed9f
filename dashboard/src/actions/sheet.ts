/** Which sheet is open. The rule: a sheet never acts by itself, it asks the brain for a preview first. */
import { useSyncExternalStore } from "react";
import type { ActionName, PreviewRequest, TaskDetail } from "../api/types";

/** `isMany`: the title counts tasks, and the preview counts them anew. */
export type SheetRequest = PreviewRequest & { title: string; isMany?: boolean; task?: TaskDetail };

let current: SheetRequest | null = null;
const watchers = new Set<() => void>();

export function openSheet(request: SheetRequest): void {
  current = request;
  for (const watcher of watchers) watcher();
}

export function closeSheet(): void {
  current = null;
  for (const watcher of watchers) watcher();
}

export function useSheet(): SheetRequest | null {
  return useSyncExternalStore(
    (watcher) => {
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
    () => current,
  );
}

export const VERB: Record<ActionName, string> = {
  retry: "Retry",
  cancel: "Cancel",
  terminate: "Terminate",
  requeue: "Requeue",
  retry_edited: "Retry edited",
  enqueue: "Enqueue",
  pause: "Pause",
  resume: "Resume",
  purge: "Purge",
  pool: "Resize",
  rate_limit: "Limit",
  restart: "Restart",
  backfill: "Backfill",
};

export const PAST: Record<ActionName, string> = {
  retry: "retried",
  cancel: "cancelled",
  terminate: "terminated",
  requeue: "requeued",
  retry_edited: "retried with edited args",
  enqueue: "enqueued",
  pause: "paused",
  resume: "resumed",
  purge: "purged",
  pool: "resized",
  rate_limit: "limited",
  restart: "restarted",
  backfill: "fired",
};
