/** One EventSource per tab. The rule: paused, hidden or logged out means no connection and no request at all. */
import type { Lag, RowsEvent } from "../api/types";

export type View = { project: string; view: string; q: string; range: string; ref?: string };
export type LiveEvent =
  | "rows"
  | "num"
  | "now"
  | "queues"
  | "schedules"
  | "task"
  | "bulk"
  | "note"
  | "reset"
  | "hello";
export type Status = "connecting" | "live" | "offline" | "paused" | "hidden";
export type Pulse = {
  status: Status;
  lag: Lag | null;
  heardAt: number;
  retryAt: number;
  missed: number;
};
type Listener = (data: unknown) => void;

const EVENTS: LiveEvent[] = [
  "rows",
  "num",
  "now",
  "queues",
  "schedules",
  "task",
  "bulk",
  "note",
  "reset",
  "hello",
];
const DEBOUNCE_MS = 150;
const HIDDEN_MS = 10_000;
const SILENT_MS = 5000;

export class LiveStream {
  private source: EventSource | null = null;
  private view: View | null = null;
  private lastId = "";
  private timer = 0;
  private hiddenTimer = 0;
  private failures = 0;
  private pulse: Pulse = { status: "connecting", lag: null, heardAt: 0, retryAt: 0, missed: 0 };
  private readonly listeners = new Map<LiveEvent, Set<Listener>>();
  private readonly watchers = new Set<() => void>();

  constructor(private readonly whenBroken: () => Promise<boolean>) {
    document.addEventListener("visibilitychange", this.visibility);
  }

  readonly subscribe = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  };

  readonly snapshot = (): Pulse => this.pulse;

  on(event: LiveEvent, listener: Listener): () => void {
    const all = this.listeners.get(event) ?? new Set();
    this.listeners.set(event, all.add(listener));
    return () => all.delete(listener);
  }

  /** Look at something else; the stream reopens once the reader has settled. */
  look(view: View): void {
    if (JSON.stringify(view) === JSON.stringify(this.view)) return;
    const isFirst = this.view === null;
    this.view = view;
    this.lastId = "";
    this.close();
    if (this.pulse.status === "paused") return;
    this.later(isFirst ? 0 : DEBOUNCE_MS);
  }

  /** Freeze what is seen. The open stream only counts; nothing is asked of the brain until `resume`. */
  pause(): void {
    clearTimeout(this.timer);
    this.set({ status: "paused", missed: 0 });
  }

  /** Connect again and tell every view to read afresh what it missed. */
  resume(): void {
    if (this.pulse.status !== "paused") return;
    const isOpen = this.source?.readyState === EventSource.OPEN;
    this.set({ status: isOpen ? "live" : "connecting", missed: 0 });
    this.emit("reset", { reason: "resumed" });
    this.lastId = "";
    if (!isOpen) this.later(0);
  }

  end(): void {
    document.removeEventListener("visibilitychange", this.visibility);
    clearTimeout(this.hiddenTimer);
    this.close();
  }

  private readonly visibility = (): void => {
    clearTimeout(this.hiddenTimer);
    if (document.hidden) {
      this.hiddenTimer = window.setTimeout(() => {
        if (this.pulse.status === "paused") return;
        this.close();
        this.set({ status: "hidden" });
      }, HIDDEN_MS);
    } else if (this.pulse.status === "hidden") {
      this.later(0);
    }
  };

  private later(delayMs: number): void {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.open(), delayMs);
  }

  private open(): void {
    this.close();
    const view = this.view;
    if (!view || this.pulse.status === "paused") return;
    const params = new URLSearchParams({ view: view.view, q: view.q, range: view.range });
    if (view.ref) params.set("ref", view.ref);
    if (this.lastId) params.set("last_event_id", this.lastId);
    const base = `/api/v1/projects/${encodeURIComponent(view.project)}/live`;
    const source = new EventSource(`${base}?${params}`);
    this.source = source;
    source.onopen = () => this.opened();
    source.onerror = () => void this.broken(source);
    source.addEventListener("lag", (event) => this.heard(event, "lag"));
    for (const name of EVENTS) source.addEventListener(name, (event) => this.heard(event, name));
  }

  private opened(): void {
    this.failures = 0;
    if (this.pulse.status === "paused") return;
    this.set({ status: "live", heardAt: Date.now(), retryAt: 0 });
  }

  private heard(event: MessageEvent<string>, name: LiveEvent | "lag"): void {
    if (event.lastEventId) this.lastId = event.lastEventId;
    const data: unknown = JSON.parse(event.data);
    if (this.pulse.status === "paused") {
      if (name === "rows") this.set({ missed: this.pulse.missed + changesIn(data as RowsEvent) });
    } else if (name === "lag") this.set({ status: "live", lag: data as Lag, heardAt: Date.now() });
    else {
      this.pulse = { ...this.pulse, heardAt: Date.now() };
      this.emit(name, data);
    }
  }

  private async broken(source: EventSource): Promise<void> {
    if (source !== this.source) return;
    if (this.pulse.status === "paused") return this.close();
    this.failures += 1;
    const retriesItself = source.readyState === EventSource.CONNECTING && this.failures < 3;
    const delayMs = retriesItself ? 3000 : Math.min(30_000, 1000 * 2 ** Math.min(this.failures, 5));
    this.set({ status: "offline", retryAt: Date.now() + delayMs });
    if (!retriesItself) {
      this.close();
      this.later(delayMs);
    }
    if (!(await this.whenBroken())) this.close();
  }

  private emit(name: LiveEvent, data: unknown): void {
    for (const listener of this.listeners.get(name) ?? []) listener(data);
  }

  private close(): void {
    clearTimeout(this.timer);
    this.source?.close();
    this.source = null;
  }

  private set(change: Partial<Pulse>): void {
    this.pulse = { ...this.pulse, ...change };
    for (const watcher of this.watchers) watcher();
  }
}

function changesIn(event: RowsEvent): number {
  return event.up.length + event.new.length + event.gone.length;
}

/** Age of the worst fact (ms): what the agents report, or the silence of the stream if that is longer. */
export function staleness(pulse: Pulse, nowMs: number): number {
  const silence = nowMs - pulse.heardAt;
  const reported = pulse.lag?.age_ms ?? 0;
  return silence > SILENT_MS ? Math.max(reported, silence) : reported;
}
