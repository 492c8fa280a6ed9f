/** Shapes of tasks and what all lists share. The rule: ids and refs are strings, times are ms since 1970 UTC, durations are µs. */
export type TaskState =
  | "queued"
  | "scheduled"
  | "running"
  | "retrying"
  | "succeeded"
  | "failed"
  | "cancelled"
  | "expired"
  | "lost"
  | "unknown";

export type Num = { value: number; approx: boolean; q: string | null };
export type Hidden = { hidden: true };
export type Shown = { flags: number; size: number; text: string };
export type Preview = Shown | Hidden;
export type Can = { ok: boolean; code: string | null; why: string | null; fix: string | null };

export type Task = {
  ref: string;
  engine: string;
  app: string;
  id: string;
  task: string;
  state: TaskState;
  queue: string | null;
  worker: string | null;
  attempt: number;
  max_attempts: number | null;
  headline: string;
  enqueued_at: number | null;
  started_at: number | null;
  finished_at: number | null;
  eta_at: number | null;
  at: number;
  wait_us: number | null;
  took_us: number | null;
  exc_type: string | null;
  exc_message: string | null;
  replayable: boolean;
  retry_of: string | null;
  priority: number | null;
  host: string | null;
  release: string | null;
  environment: string | null;
  tags: Record<string, string>;
  root: string | null;
  parent: string | null;
  flags: string[];
  v: number;
};

export type TaskPage = {
  items: Task[];
  next: string | null;
  total: Num;
  as_of: number;
  watermark: string;
  partial?: { searched_to: number; next: string | null } | null;
};

export type Frame = {
  file: string;
  line: number;
  function: string;
  code: string | null;
  in_app: boolean;
};
export type TaskError = {
  /** How an earlier exception led to the next; absent on the one that ended the task. */
  kind?: "cause" | "context";
  type: string;
  message: Preview;
  traceback: Preview | null;
  frames: Frame[];
  chain: TaskError[];
};
export type TaskLink = {
  ref: string;
  id: string;
  task: string;
  engine: string;
  state: TaskState;
};
export type Attempt = {
  attempt: number;
  run: string | null;
  state: TaskState;
  worker: string | null;
  pid: number | null;
  queued_at: number | null;
  received_at: number | null;
  started_at: number | null;
  finished_at: number | null;
  took_us: number | null;
  exc_type: string | null;
  exc_message: string | null;
  traceback: Preview | null;
  next_at: number | null;
};
export type Param = {
  name: string;
  kind: string;
  has_default?: boolean;
  default?: string | null;
  annotation?: string | null;
};
export type TaskActions = { retry: Can; edit_retry: Can; cancel: Can; terminate: Can };
export type TaskDetail = Omit<Task, "parent" | "retry_of"> & {
  args: Preview;
  kwargs: Preview;
  params: Param[] | null;
  result: Preview | null;
  error: TaskError | null;
  definition: { engine: string; name: string; known: boolean };
  attempts: Attempt[];
  parent: TaskLink | null;
  retry_of: TaskLink | null;
  children: TaskLink[];
  retried_as: TaskLink[];
  actions: TaskActions;
  facts: { label: string; value: string }[];
  evidence: string | null;
};
export type FlowNode = TaskLink & { started_at: number | null; finished_at: number | null };
export type Flow = { nodes: FlowNode[]; edges: [string, string][]; truncated: boolean };

export type FacetValue = { value: string; count: Num };
export type Facets = Record<string, FacetValue[]>;
export type Bucket = { at: number; counts: Partial<Record<TaskState, number>> };
export type Histogram = { from_at: number; to_at: number; step_ms: number; buckets: Bucket[] };
export type Completion = {
  text: string;
  kind: "key" | "value" | "op";
  count: number | null;
  hint: string;
};
export type Completions = { from: number; to: number; items: Completion[] };

export type Me = {
  user: { id: string; name: string; email: string };
  projects: { slug: string; name: string; role: string }[];
  server: { version: string; now_at: number };
  args_visible: boolean;
};

export type Lag = { age_ms: number; agents: { id: string; age_ms: number; lost: number }[] };
export type RowPatch = [ref: string, v: number, changed: Partial<Task>];
export type RowsEvent = { up: RowPatch[]; new: Task[]; gone: string[] };
