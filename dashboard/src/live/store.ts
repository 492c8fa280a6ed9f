/** The list the reader sees. The rule: a row changes only by a higher version, and never moves under the reader's hand. */
import type { Num, RowPatch, RowsEvent, Task, TaskPage } from "../api/types";

export type ListState = {
  rows: readonly Task[];
  waiting: number;
  total: Num | null;
  next: string | null;
  asOf: number;
  searchedTo: number | null;
  version: number;
};

const EMPTY: ListState = {
  rows: [],
  waiting: 0,
  total: null,
  next: null,
  asOf: 0,
  searchedTo: null,
  version: 0,
};

export class TaskList {
  private state = EMPTY;
  private byRef = new Map<string, Task>();
  private waiting: Task[] = [];
  private changed = new Map<string, number>();
  private readonly listeners = new Set<() => void>();

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly snapshot = (): ListState => this.state;

  /** Begin again with the first page. */
  reset(page: TaskPage): void {
    this.byRef = new Map(page.items.map((row) => [row.ref, row]));
    this.waiting = [];
    this.changed.clear();
    this.publish({ rows: page.items, ...head(page) });
  }

  /** Join the next page; rows already here keep the newer of both versions. */
  append(page: TaskPage): void {
    const fresh = page.items.filter((row) => !this.byRef.has(row.ref));
    for (const row of fresh) this.byRef.set(row.ref, row);
    const { next, searchedTo } = head(page);
    this.publish({ rows: this.state.rows.concat(fresh), next, searchedTo });
  }

  /** Apply one event; new rows wait while `isHeld`. */
  apply(event: RowsEvent, isHeld: boolean, nowMs: number): void {
    let rows = this.patched(event.up, nowMs);
    const gone = new Set(event.gone.filter((ref) => this.byRef.has(ref)));
    if (event.gone.length > 0) {
      const left = new Set(event.gone);
      this.waiting = this.waiting.filter((row) => !left.has(row.ref));
    }
    if (gone.size > 0) {
      for (const ref of gone) this.byRef.delete(ref);
      rows = rows.filter((row) => !gone.has(row.ref));
    }
    const fresh = event.new.filter((row) => this.isNew(row));
    if (fresh.length > 0) this.waiting = [...fresh.reverse(), ...this.waiting];
    if (!isHeld) rows = this.released(rows, nowMs);
    this.publish({ rows, asOf: nowMs });
  }

  setTotal(total: Num): void {
    this.publish({ total });
  }

  /** Let the waiting rows in. */
  release(nowMs: number): void {
    this.publish({ rows: this.released(this.state.rows, nowMs) });
  }

  row(ref: string): Task | undefined {
    return this.byRef.get(ref);
  }

  /** When this row last changed on the stream (ms), for its one flash. */
  changedAt(ref: string): number {
    return this.changed.get(ref) ?? 0;
  }

  private isNew(row: Task): boolean {
    const known = this.byRef.get(row.ref);
    if (known) return false;
    const waiting = this.waiting.find((other) => other.ref === row.ref);
    return !waiting;
  }

  private released(rows: readonly Task[], nowMs: number): readonly Task[] {
    if (this.waiting.length === 0) return rows;
    const fresh = this.waiting;
    this.waiting = [];
    for (const row of fresh) {
      this.byRef.set(row.ref, row);
      this.changed.set(row.ref, nowMs);
    }
    return [...fresh, ...rows];
  }

  private patched(patches: RowPatch[], nowMs: number): readonly Task[] {
    const touched = new Map<string, Task>();
    for (const [ref, v, changed] of patches) {
      const row = this.byRef.get(ref);
      if (row && v > row.v) {
        const next = { ...row, ...changed, ref, v };
        this.byRef.set(ref, next);
        touched.set(ref, next);
        if (next.state !== row.state) this.changed.set(ref, nowMs);
      } else if (!row) this.patchWaiting(ref, v, changed);
    }
    if (touched.size === 0) return this.state.rows;
    return this.state.rows.map((row) => touched.get(row.ref) ?? row);
  }

  private patchWaiting(ref: string, v: number, changed: Partial<Task>): void {
    this.waiting = this.waiting.map((row) =>
      row.ref === ref && v > row.v ? { ...row, ...changed, ref, v } : row,
    );
  }

  private publish(change: Partial<ListState>): void {
    const version = this.state.version + 1;
    this.state = { ...this.state, ...change, waiting: this.waiting.length, version };
    for (const listener of this.listeners) listener();
  }
}

function head(page: TaskPage) {
  return {
    total: page.total,
    next: page.partial ? (page.partial.next ?? page.next) : page.next,
    asOf: page.as_of,
    searchedTo: page.partial?.searched_to ?? null,
  };
}
