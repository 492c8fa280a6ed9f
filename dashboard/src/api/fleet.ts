/** Shapes of queues, workers, definitions, agents and keys. */
import type { Can, Num, Param, Preview } from "./task";

export type Queue = {
  engine: string;
  app: string;
  name: string;
  depth: number | null;
  depth_why: string | null;
  scheduled: number | null;
  unacked: number | null;
  dead: number | null;
  consumers: number | null;
  oldest_us: number | null;
  paused: boolean | null;
  in_per_s: number | null;
  out_per_s: number | null;
  drain_s: number | "never" | null;
  busy: number | null;
  slots: number | null;
  spark: { at: number; depth: number | null }[];
  can: { pause: Can; resume: Can; purge: Can; peek: Can };
};
export type Peek = { items: { id: string; task: string; args: Preview }[]; why?: string | null };

/** How an agent came: requests where no WebSocket gets through. */
export type Transport = "websocket" | "poll";

export type WorkerState = "online" | "stalled" | "not_answering" | "draining" | "offline" | "died";
export type Worker = {
  id: string;
  name: string;
  engine: string;
  app: string;
  host: string | null;
  release: string | null;
  state: WorkerState;
  busy: number | null;
  slots: number | null;
  pool: string | null;
  running: { ref: string; id: string; task: string; started_at: number | null }[];
  queues: string[];
  tasks_per_min: number | null;
  fail_pct: number | null;
  rss_kb: number | null;
  lag_ms: number | null;
  up_since_at: number | null;
  last_heard_at: number | null;
  pids: number[];
  versions: Record<string, string>;
  config: Record<string, unknown>;
  agent: {
    id: string;
    version: string | null;
    policy: string | null;
    storage: string | null;
    transport: Transport | null;
    spool_bytes: number | null;
    lost: number | null;
  } | null;
  can: { pool: Can; restart: Can };
};

export type Definition = {
  engine: string;
  name: string;
  app?: string;
  module: string | null;
  doc: string | null;
  queue: string | null;
  params: Param[] | null;
  count: Num;
  failed: Num;
  fail_pct: number | null;
  p50_us: number | null;
  p95_us: number | null;
  p99_us: number | null;
  last_failure_at: number | null;
  workers: number;
  live: boolean;
};

export type Point = {
  at: number;
  succeeded: number | null;
  failed: number | null;
  cancelled: number | null;
  retried: number | null;
  fail_pct: number | null;
  p95_took_us: number | null;
};
export type Series = { from_at: number; to_at: number; step_ms: number; series: Point[] };
export type Failing = {
  engine: string;
  task: string;
  failed: Num;
  total: Num;
  fail_pct: number | null;
  last_error: { type: string | null; message: string | null } | null;
  last_at: number | null;
  spark: number[];
};
export type Attention = { kind: string; level: string; text: string; href: string | null };
export type Now = {
  queues: Queue[];
  queues_total: number;
  throughput: Series;
  failing: Failing[];
  attention: Attention[];
  totals: { tasks: Num; failed: Num; running: Num; queued: Num };
};

export type Refused = { at: number; key_id: string; from: string; reason: string; detail: string };
export type OnboardingStep = { id: string; done: boolean; detail: string };
export type Onboarding = {
  dsn_hint: string;
  steps: OnboardingStep[];
  agents: number;
  refused: Refused[];
};
export type Key = {
  cred_id: string;
  key_id: string;
  kid: number;
  label?: string | null;
  role?: string;
  created_at: number | null;
  last_used_at?: number | null;
  retired_at?: number | null;
  revoked_at?: number | null;
  sessions?: number | null;
};
export type ApiToken = {
  id: string;
  project: string;
  label: string;
  scopes: string[];
  created_at: number;
  expires_at: number | null;
  last_used_at: number | null;
};
export type NewApiToken = { project: string; label: string; days: number; scopes?: string[] };
export type NewKey = Key & { dsn: string };
export type Agent = {
  id: string;
  host: string;
  pid: number | null;
  role: string | null;
  state: string;
  engines: {
    engine: string;
    app: string;
    version: string | null;
    verbs: Record<string, string>;
    unavailable: Record<string, string>;
  }[];
  policy: string | null;
  transport: Transport | null;
  connected_at: number | null;
  last_beat_at: number | null;
  spool_bytes: number | null;
  lost: number | null;
  age_ms: number | null;
};
