/** The page's second hand. The rule: one timer for every relative time, corrected by the brain's clock. */
import { useSyncExternalStore } from "react";

const watchers = new Set<() => void>();
let skewMs = 0;
let shown = Math.floor(Date.now() / 1000) * 1000;
let timer = 0;
let absoluteTimes = false;

function tick(): void {
  shown = Math.floor((Date.now() + skewMs) / 1000) * 1000;
  for (const watcher of watchers) watcher();
}

function subscribe(watcher: () => void): () => void {
  if (watchers.size === 0) timer = window.setInterval(tick, 1000);
  watchers.add(watcher);
  return () => {
    watchers.delete(watcher);
    if (watchers.size === 0) clearInterval(timer);
  };
}

/** The brain's time (ms). */
export function brainNow(): number {
  return Date.now() + skewMs;
}

export function setBrainNow(at: number): void {
  skewMs = at - Date.now();
  tick();
}

/** The brain's time in whole seconds, as ms; re-renders once a second. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => shown);
}

export function toggleTimes(): void {
  absoluteTimes = !absoluteTimes;
  tick();
}

export function useAbsoluteTimes(): boolean {
  return useSyncExternalStore(subscribe, () => absoluteTimes);
}
