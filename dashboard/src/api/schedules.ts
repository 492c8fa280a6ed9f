/** Shapes of schedules, their fires and what the preview says. Names that end in `_ms` and times are ms since 1970 UTC. */
import type { Can, Num, TaskState } from "./task";

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
export type SpecDoc = { kind: string; [field: string]: Json };
export type CalendarRef = { ref: string; on_hit: string };
export type BlackoutDoc = { action: string; [field: string]: Json };
export type WhenDoc = string | { local: string; tz: string; fold: number };

/** What people write, every default written out. */
export type DefinitionDoc = {
  name: string;
  description: string;
  tags: string[];
  task: string;
  args: Json[];
  kwargs: { [name: string]: Json };
  headers: { [name: string]: Json };
  queue: string | null;
  priority: number | null;
  options: { [name: string]: Json };
  delivery: string;
  dispatch: { max_tries: number; max_age_s: number };
  specs: SpecDoc[];
  exclude: SpecDoc[];
  calendars: CalendarRef[];
  blackouts: BlackoutDoc[];
  start_at: WhenDoc | null;
  end_at: WhenDoc | null;
  max_fires: number | null;
  jitter_s: number;
  jitter_mode: string;
  grace_s: number;
  catchup: string;
  catchup_window_s: number;
  catchup_max: number;
  catchup_pick: string;
  overlap: string;
  max_running: number;
  overlap_timeout_s: number;
  pause_after_failures: number | null;
  require_last_success: boolean;
  expires_after_s: number | null;
};

export type FireStatus =
  | "claimed"
  | "buffered"
  | "sent"
  | "skipped"
  | "missed"
  | "expired"
  | "refused"
  | "failed"
  | "duplicate_suppressed";
export type FireTrigger = "timer" | "manual" | "catchup" | "backfill" | "replay" | "on_start";
export type StripFire = {
  slot_ms: number;
  status: FireStatus;
  state: TaskState | null;
  lag_ms: number | null;
  fire_id: string;
};
export type Paused = { by: string; at: number; note: string | null; until: number | null };
export type ScheduleCan = Record<"edit" | "fire" | "pause" | "resume" | "backfill" | "delete", Can>;
export type Drift = { field: string; declared: Json; now: Json };
export type Schedule = DefinitionDoc & {
  id: string;
  engine: string;
  app: string;
  owner: string;
  enabled: boolean;
  paused: Paused | null;
  generation: number;
  revision: number;
  created: number;
  updated: number;
  words: string;
  next_slot_ms: number | null;
  next_due_ms: number | null;
  last_slot_ms: number | null;
  last_result: string | null;
  consecutive_failures: number;
  fires_total: number;
  strip: StripFire[];
  lag_p95_ms: number | null;
  drift: Drift[];
  silent: string | null;
  can: ScheduleCan;
  /** The viewer may not see args, kwargs and headers: they are empty here. */
  args_hidden?: boolean;
};
/** Of all schedules how many stand how, and what fires next. */
export type Standing = Record<
  "total" | "silent" | "failing" | "paused" | "missed" | "late",
  Num
> & { next: { id: string; name: string; next_due_ms: number }[] };
export type SchedulePage = { items: Schedule[]; next: string | null; total: number };

export type NextSlot = {
  slot_ms: number;
  local: string;
  viewer_local: string;
  fold: number;
  note: string;
  due_ms: number;
  tz: string;
};
export type Catchup = { missed: number; more: boolean; fires: number[]; lost: number };
export type Outage = { from_ms: number; to_ms: number };
export type SchedulePreview = {
  words: string;
  next: NextSlot[];
  warnings: { code: string; text: string }[];
  catchup: Catchup | null;
  level: { needs: string; ok: boolean; fix: string | null };
};

export type Fire = {
  fire_id: string;
  slot_ms: number;
  slot_local: string;
  fold: number;
  due: number | null;
  claimed: number | null;
  sent: number | null;
  lag_ms: number | null;
  status: FireStatus;
  reason: string | null;
  trigger: FireTrigger;
  epoch: number;
  enq: number;
  count: number;
  revision: number;
  actor: string | null;
  task: { ref: string; state: TaskState } | null;
};
/** A fire in the list of all; `schedule_name` is null where its schedule was deleted. */
export type NamedFire = Fire & {
  schedule: string;
  schedule_name: string | null;
  definition: string | null;
  engine: string;
  app: string;
};
export type NamedFirePage = { items: NamedFire[]; next: string | null };
export type FirePage = { items: Fire[]; next: string | null };
export type FireDay = {
  day: string;
  fires: number;
  failed: number;
  missed: number;
  skipped: number;
  late: number;
};
export type Revision = {
  revision: number;
  at: number;
  by: string | null;
  changes: { field: string; before: Json; after: Json }[];
};
export type Candidate = {
  agent: string;
  host: string;
  pid: number | null;
  revision: number;
  is_leader: boolean;
  role: string;
  since: number | null;
};
export type Bystander = {
  agent: string;
  host: string;
  pid: number | null;
  role: string;
  why: string;
};
/** A connected process that a store refuses the lease of a group. */
export type RefusedLease = {
  agent: string;
  host: string;
  pid: number | null;
  code: string;
  why: string | null;
  since: number;
};
export type Mode = "agents" | "central";
export type Group = {
  engine: string;
  app: string;
  /** Who fires it, or did until it began to move. */
  mode: Mode;
  moving_to: Mode | null;
  /** What a move waits for. */
  waits_for: string | null;
  schedules: number;
  /** How many z4j-schedulers are connected. */
  schedulers: number;
  store: string | null;
  era: number;
  revision: number;
  leader: { owner: string; epoch: number; host: string | null; pid: number | null } | null;
  candidates: Candidate[];
  others: Bystander[];
  refused: RefusedLease[];
  silent: boolean;
  why: string | null;
  /** Known of a lease that this server keeps. */
  ttl_left_ms: number | null;
  /** When it changed hands last. */
  since: number | null;
  lag_p50_ms: number | null;
  lag_p99_ms: number | null;
  lag_fires: number;
};
export type CalendarDoc = { name: string; dates: string[]; weekend: number[] };
export type Hit = { day: string; slot_ms: number; local: string; slots: number; more: boolean };
export type CalendarUser = {
  id: string;
  name: string;
  enabled: boolean;
  on_hit: string;
  hits: Hit[];
};
export type CalendarItem = CalendarDoc & {
  updated: number;
  past: number;
  users: number;
  used_by: CalendarUser[];
};
export type ClosedWindow = {
  id: string;
  name: string;
  enabled: boolean;
  action: string;
  from_ms: number | null;
  to_ms: number | null;
  window: BlackoutDoc;
};
export type Closed = { items: CalendarItem[]; windows: ClosedWindow[]; more_windows: boolean };
export type WeekHour = { at_ms: number; local: string; fires: number; schedules: number };
export type Week = {
  tz: string;
  from_ms: number;
  hours: WeekHour[];
  /** Schedules that were counted, those of them that do not fire, and those that were not. */
  schedules: number;
  idle: number;
  left_out: number;
  about: boolean;
};
export type InHour = { id: string; name: string; fires: number; about: boolean };
/** `declared` and `now` are JSON texts, null where the viewer may not see them. */
export type DriftField = {
  field: string;
  declared: string | null;
  now: string | null;
  by: string | null;
  at: number | null;
};
export type DriftItem = {
  id: string;
  name: string;
  engine: string;
  app: string;
  owner: string;
  revision: number;
  fields: DriftField[];
};
export type DriftPage = { items: DriftItem[]; next: string | null; declared: number };
export type Backfill = {
  backfill_id: string | null;
  slots: number[];
  total: number;
  more: boolean;
};
export type Conflict = { field: string; base: Json; yours: Json; theirs: Json };
