/** Shapes of previews, bulks and their items. */
import type { Task, TaskState } from "./task";

export type ActionName =
  | "retry"
  | "cancel"
  | "terminate"
  | "requeue"
  | "retry_edited"
  | "enqueue"
  | "pause"
  | "resume"
  | "purge"
  | "pool"
  | "rate_limit"
  | "restart"
  | "backfill";
export type Target = { engine: string; app: string; queue?: string; worker?: string };
export type PreviewRequest = {
  action: ActionName;
  q?: string;
  range?: string;
  refs?: string[];
  targets?: Target[];
  params?: Record<string, unknown>;
};
export type BulkPreview = {
  preview_id: string;
  as_of: number;
  total: number;
  by_state: Partial<Record<TaskState, number>>;
  sample: Task[];
  effect: string;
  per_engine: {
    engine: string;
    will: number;
    skipped: { code: string; n: number; why: string }[];
  }[];
  drift: number;
  needs: { reason: boolean; typed: string | null; step_up: boolean };
};
export type BulkState = "held" | "running" | "paused" | "done" | "aborted" | "undone";
export type Bulk = {
  id: string;
  action: ActionName;
  params: Record<string, unknown> | null;
  q: string | null;
  state: BulkState;
  total: number;
  counts: Partial<Record<string, number>>;
  rate: number | null;
  hold_until_at: number | null;
  by: string | null;
  via: string | null;
  reason: string | null;
  created_at: number;
  finished_at: number | null;
};
export type BulkItem = {
  idx: number;
  ref: string | null;
  id: string | null;
  task: string | null;
  engine: string;
  state: string;
  code: string | null;
  detail: string | null;
  new_id: string | null;
  new_ref: string | null;
};
