/** What the form holds. The rule: one flat draft of texts and documents; it becomes a body only by `bodyOf`. */
import type { DefinitionDoc, SpecDoc } from "../../api/types";
import { faultOf, membersOf, objectOf, sameJson, tidy } from "../jsonText";

type JsonField = "args" | "kwargs" | "headers" | "options";
export type Doc = Omit<DefinitionDoc, JsonField>;
export type Draft = Doc & { engine: string; app: string; enabled: boolean } & Record<
    JsonField,
    string
  >;
export type Fault = { pointer: string; message: string; hint?: string | null; code?: string };

export const JSON_FIELDS: JsonField[] = ["args", "kwargs", "headers", "options"];
const PLACE = ["engine", "app"] as const;

export const NEW: Draft = {
  engine: "",
  app: "",
  enabled: true,
  name: "",
  description: "",
  tags: [],
  task: "",
  args: "[]",
  kwargs: "{}",
  headers: "{}",
  options: "{}",
  queue: null,
  priority: null,
  delivery: "effectively_once",
  dispatch: { max_tries: 5, max_age_s: 3600 },
  specs: [],
  exclude: [],
  calendars: [],
  blackouts: [],
  start_at: null,
  end_at: null,
  max_fires: null,
  jitter_s: 0,
  jitter_mode: "slot",
  grace_s: 60,
  catchup: "fire_one",
  catchup_window_s: 86_400,
  catchup_max: 100,
  catchup_pick: "latest",
  overlap: "allow",
  max_running: 1,
  overlap_timeout_s: 3600,
  pause_after_failures: null,
  require_last_success: false,
  expires_after_s: null,
};
const FIELDS = (Object.keys(NEW) as (keyof Draft)[]).filter(
  (name) => !(PLACE as readonly string[]).includes(name),
);

export function viewerZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
}

/** A spec of a kind, with what most people want. */
export function newSpec(kind: string, tz: string): SpecDoc {
  switch (kind) {
    case "interval":
      return { kind, every: "15m", anchor: "created", phase_s: 0, mode: "fixed_rate" };
    case "calendar":
      return {
        kind,
        every: { months: 1 },
        anchor: `${new Date().getUTCFullYear()}-01-01T09:00:00`,
        tz,
        dst: "cron",
        month_end: "clamp",
      };
    case "once":
      return { kind, at: "", tz, fold: 0, delete_after: false };
    case "solar":
      return { kind, event: "sunrise", lat: 0, lon: 0, offset_s: 0, on_no_event: "skip" };
    case "rrule":
      return { kind, text: `DTSTART;TZID=${tz}:20260101T090000\nRRULE:FREQ=DAILY`, dst: "cron" };
    case "on_start":
      return { kind };
    default:
      return { kind: "cron", expr: "0 9 * * *", dialect: "cron", tz, dst: "cron" };
  }
}

export function newDraft(tz: string): Draft {
  return { ...NEW, specs: [newSpec("cron", tz)] };
}

/** A draft from the text of a schedule, digits kept. */
export function draftOf(text: string): Draft {
  const members = membersOf(text);
  const found: Record<string, unknown> = { ...NEW };
  for (const name of [...PLACE, ...FIELDS]) {
    const value = members.get(name);
    if (value === undefined) continue;
    found[name] = (JSON_FIELDS as string[]).includes(name) ? value : JSON.parse(value);
  }
  return found as unknown as Draft;
}

function textOf(draft: Draft, name: keyof Draft): string {
  const value = draft[name];
  return (JSON_FIELDS as string[]).includes(name) ? tidy(String(value)) : JSON.stringify(value);
}

/** The fields in which two drafts differ. */
export function changedFields(before: Draft, after: Draft): (keyof Draft)[] {
  return FIELDS.filter((name) => !sameJson(textOf(before, name), textOf(after, name)));
}

/** The draft as the body of a request, without what is still empty; `more` are members beside it, as JSON texts. */
export function bodyOf(draft: Draft, more: Record<string, string> = {}): string {
  const members = [...PLACE, ...FIELDS]
    .filter((name) => draft[name] !== "" && draft[name] !== null)
    .map((name): [string, string] => [name, textOf(draft, name)]);
  return objectOf([...members, ...Object.entries(more)]);
}

/** Only these fields, for PATCH. */
export function patchOf(draft: Draft, fields: (keyof Draft)[]): string {
  return objectOf(fields.map((name) => [name, textOf(draft, name)]));
}

/** What the page itself can tell is wrong, before the brain is asked. */
export function localFaults(draft: Draft): Fault[] {
  const found: Fault[] = [];
  for (const name of JSON_FIELDS) {
    const message = faultOf(draft[name], name === "args" ? "array" : "object");
    if (message) found.push({ pointer: `/${name}`, message });
  }
  return found;
}

/** What stands in the way of saving, or null. */
export function missing(draft: Draft): string | null {
  if (!draft.engine || !draft.app) return "Choose the engine and app that it belongs to";
  if (!draft.task) return "Choose a definition";
  if (!draft.name) return "Give it a name";
  if (draft.specs.length === 0) return "Add at least one rule of when";
  return null;
}
