/** Query options and acts of schedules. The rule: an edit names the revision it was made from. */
import { queryOptions } from "@tanstack/react-query";
import { ask, send } from "./http";
import { project, resource } from "./queries";
import type * as S from "./schedules";

const part = encodeURIComponent;
const at = (slug: string, id: string) => `${project(slug)}/schedules/${part(id)}`;
const post = <R>(path: string, body: unknown = {}, signal?: AbortSignal) =>
  ask<R>(path, { method: "POST", body, signal });
const ifMatch = (revision: number) => ({ "If-Match": `"${revision}"` });

export const schedules = (slug: string, q: string) =>
  resource<S.SchedulePage>(slug, "/schedules", { q, limit: 200 });
export function schedulePage(slug: string, q: string, cursor: string, signal: AbortSignal) {
  const query = { q, cursor, limit: 200 };
  return ask<S.SchedulePage>(`${project(slug)}/schedules`, { signal }, query);
}

export const standing = (slug: string) => resource<S.Standing>(slug, "/schedules/standing");
export const schedule = (slug: string, id: string) =>
  resource<S.Schedule>(slug, `/schedules/${part(id)}`);
export const days = (slug: string, id: string, year: number) =>
  resource<{ days: S.FireDay[] }>(slug, `/schedules/${part(id)}/days`, { year });
export const revisions = (slug: string, id: string) =>
  resource<{ items: S.Revision[] }>(slug, `/schedules/${part(id)}/revisions`);
export const groups = (slug: string) => resource<{ items: S.Group[] }>(slug, "/schedules/groups");
export const calendars = (slug: string) => resource<{ items: S.CalendarDoc[] }>(slug, "/calendars");
export const closed = (slug: string) => resource<S.Closed>(slug, "/schedules/calendars");
export const week = (slug: string, q: string, tz: string) =>
  resource<S.Week>(slug, "/schedules/week", { q, tz });
export const inHour = (slug: string, q: string, tz: string, at: number) =>
  resource<{ items: S.InHour[] }>(slug, "/schedules/week", { q, tz, at_s: at / 1000 });

/** Dates of `ics`, the text of an iCalendar file, are added to those given. */
export type CalendarBody = Omit<S.CalendarDoc, "name"> & { ics?: string };
export function putCalendar(slug: string, name: string, body: CalendarBody) {
  return ask<S.CalendarDoc>(`${project(slug)}/calendars/${part(name)}`, { method: "PUT", body });
}

export function deleteCalendar(slug: string, name: string) {
  return ask<void>(`${project(slug)}/calendars/${part(name)}`, { method: "DELETE" });
}

export function driftPage(slug: string, cursor: string, signal: AbortSignal) {
  return ask<S.DriftPage>(`${project(slug)}/schedules/drift`, { signal }, { cursor, limit: 50 });
}

export function redeclare(slug: string, id: string, revision: number, fields: string[]) {
  const init = { method: "POST", body: { fields }, headers: ifMatch(revision) };
  return ask<S.Schedule>(`${at(slug, id)}/redeclare`, init);
}

export function allFires(slug: string, q: string, cursor: string, signal: AbortSignal) {
  return ask<S.NamedFirePage>(`${project(slug)}/fires`, { signal }, { q, limit: 100, cursor });
}

/** The schedule as JSON text: a form keeps the digits of its arguments. */
export async function readScheduleText(slug: string, id: string, signal?: AbortSignal) {
  return (await send(at(slug, id), { signal })).text();
}

export const scheduleText = (slug: string, id: string) =>
  queryOptions({
    queryKey: [slug, "schedule text", id],
    queryFn: ({ signal }) => readScheduleText(slug, id, signal),
    staleTime: 0,
    gcTime: 0,
  });

export function firePage(
  slug: string,
  id: string,
  status: string,
  cursor: string,
  signal: AbortSignal,
) {
  return ask<S.FirePage>(`${at(slug, id)}/fires`, { signal }, { status, limit: 50, cursor });
}

export function previewSchedule(slug: string, json: string, signal?: AbortSignal) {
  const path = `${project(slug)}/schedules/preview`;
  return ask<S.SchedulePreview>(path, { method: "POST", json, signal });
}

export function createSchedule(slug: string, json: string) {
  return ask<S.Schedule>(`${project(slug)}/schedules`, { method: "POST", json });
}

export function editSchedule(slug: string, id: string, revision: number, json: string) {
  return ask<S.Schedule>(at(slug, id), { method: "PATCH", json, headers: ifMatch(revision) });
}

export function deleteSchedule(slug: string, id: string, revision: number, reason: string) {
  const init = { method: "DELETE", headers: ifMatch(revision) };
  return ask<void>(at(slug, id), init, { reason });
}

export function restoreSchedule(slug: string, id: string, revision: number, to: number) {
  const init = { method: "POST", body: { revision: to }, headers: ifMatch(revision) };
  return ask<S.Schedule>(`${at(slug, id)}/restore`, init);
}

export function fireSchedule(slug: string, id: string, reason: string) {
  return post<{ fire_id: string }>(`${at(slug, id)}/fire`, reason ? { reason } : {});
}

export function pauseSchedule(slug: string, id: string, until: number | null, note: string) {
  return post<S.Schedule>(`${at(slug, id)}/pause`, { until, note: note || null });
}

export function resumeSchedule(slug: string, id: string) {
  return post<S.Schedule>(`${at(slug, id)}/resume`);
}

export type BackfillRequest = S.Outage & { overlap?: string; max?: number; dry_run: boolean };
export function backfill(slug: string, id: string, body: BackfillRequest, signal?: AbortSignal) {
  return post<S.Backfill>(`${at(slug, id)}/backfill`, body, signal);
}

export function moveGroup(slug: string, group: S.Group, mode: S.Mode, store: string) {
  const { engine, app } = group;
  return post<S.Group>(`${project(slug)}/schedules/groups/move`, { engine, app, mode, store });
}

export function replayFire(slug: string, id: string, fire: string, definition: string) {
  return post<{ fire_id: string }>(`${at(slug, id)}/replay`, { fire_id: fire, definition });
}
