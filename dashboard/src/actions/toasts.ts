/** Bulks the reader has started and still sees. The rule: a bulk survives a reload, a dismissed one stays away. */
import { useSyncExternalStore } from "react";
import type { Bulk } from "../api/types";

let bulks: Bulk[] = [];
const dismissed = new Set<string>();
const watchers = new Set<() => void>();
const SHOWN = 4;

function publish(next: Bulk[]): void {
  bulks = next.slice(0, SHOWN);
  for (const watcher of watchers) watcher();
}

export function isOver(bulk: Bulk): boolean {
  return ["done", "aborted", "undone"].includes(bulk.state);
}

export function addBulk(bulk: Bulk): void {
  publish([bulk, ...bulks.filter((one) => one.id !== bulk.id)]);
}

/** Take a newer state; a bulk nobody here has seen appears only while it is under way. */
export function updateBulk(bulk: Bulk): void {
  if (dismissed.has(bulk.id)) return;
  const isKnown = bulks.some((one) => one.id === bulk.id);
  if (isKnown) publish(bulks.map((one) => (one.id === bulk.id ? bulk : one)));
  else if (!isOver(bulk)) addBulk(bulk);
}

export function dismissBulk(id: string): void {
  dismissed.add(id);
  publish(bulks.filter((one) => one.id !== id));
}

export function useBulks(): Bulk[] {
  return useSyncExternalStore(
    (watcher) => {
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
    () => bulks,
  );
}
