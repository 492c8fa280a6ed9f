/** Query options per resource. The rule: a key names project, resource and its parameters, nothing else. */
import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { ask } from "./http";
import type * as T from "./types";

export const project = (slug: string) => `/projects/${encodeURIComponent(slug)}`;
const part = encodeURIComponent;
type Get = { signal: AbortSignal };

export function resource<R extends object>(
  slug: string,
  path: string,
  query: Record<string, string | number> = {},
) {
  return queryOptions({
    queryKey: [slug, path, query],
    queryFn: ({ signal }: Get) => ask<R>(project(slug) + path, { signal }, query),
    placeholderData: keepPreviousData,
  });
}

export const me = () =>
  queryOptions({
    queryKey: ["me"],
    queryFn: ({ signal }: Get) => ask<T.Me>("/me", { signal }),
    staleTime: 300_000,
  });
export const now = (slug: string, range: string) => resource<T.Now>(slug, "/now", { range });
export const facets = (slug: string, q: string, range: string) =>
  resource<T.Facets>(slug, "/facets", { q, range });
export const histogram = (slug: string, q: string, range: string) =>
  resource<T.Histogram>(slug, "/histogram", { q, range });
export const task = (slug: string, ref: string) =>
  queryOptions({
    queryKey: [slug, "task", ref],
    queryFn: ({ signal }: Get) =>
      ask<T.TaskDetail>(`${project(slug)}/tasks/${part(ref)}`, { signal }),
  });
export const flow = (slug: string, ref: string) =>
  resource<T.Flow>(slug, `/tasks/${part(ref)}/flow`);
export const definitions = (slug: string, q: string, range: string) =>
  resource<{ items: T.Definition[] }>(slug, "/definitions", { q, range });
export const definition = (slug: string, engine: string, name: string, range: string) =>
  resource<T.Definition & { series?: T.Series }>(
    slug,
    `/definitions/${part(engine)}/${part(name)}`,
    { range },
  );
export const queues = (slug: string) => resource<{ items: T.Queue[] }>(slug, "/queues");
export const peek = (slug: string, engine: string, name: string) =>
  resource<T.Peek>(slug, `/queues/${part(engine)}/${part(name)}/peek`, { limit: 50 });
export const workers = (slug: string) => resource<{ items: T.Worker[] }>(slug, "/workers");
export const worker = (slug: string, id: string) =>
  resource<T.Worker>(slug, `/workers/${part(id)}`);
export const agents = (slug: string) => resource<{ items: T.Agent[] }>(slug, "/agents");
export const keys = (slug: string) => resource<{ items: T.Key[] }>(slug, "/keys");
export const refused = (slug: string) => resource<{ items: T.Refused[] }>(slug, "/keys/refused");
export const onboarding = (slug: string) => resource<T.Onboarding>(slug, "/onboarding");
export const bulks = (slug: string) =>
  resource<{ items: T.Bulk[]; next: string | null }>(slug, "/bulk");
export function readBulk(slug: string, id: string, signal?: AbortSignal) {
  return ask<T.Bulk>(`${project(slug)}/bulk/${part(id)}`, { signal });
}
export const bulk = (slug: string, id: string) =>
  queryOptions({
    queryKey: [slug, "bulk", id],
    queryFn: ({ signal }: Get) => readBulk(slug, id, signal),
  });
export const bulkItems = (slug: string, id: string, state: string) =>
  resource<{ items: T.BulkItem[]; next: string | null }>(slug, `/bulk/${part(id)}/items`, {
    state,
  });

export function tasksPage(
  slug: string,
  query: { q: string; range: string; sort: string; cursor?: string; limit: number },
  signal: AbortSignal,
): Promise<T.TaskPage> {
  return ask<T.TaskPage>(`${project(slug)}/tasks`, { signal }, query);
}

export function complete(slug: string, q: string, pos: number, signal: AbortSignal) {
  return ask<T.Completions>(`${project(slug)}/query/complete`, { signal }, { q, pos });
}

export function count(slug: string, q: string, range: string, signal: AbortSignal) {
  return ask<T.Num>(`${project(slug)}/count`, { signal }, { q, range });
}

export function bulkPreview(slug: string, body: T.PreviewRequest, signal?: AbortSignal) {
  return ask<T.BulkPreview>(`${project(slug)}/bulk/preview`, { method: "POST", body, signal });
}

export function bulkStart(
  slug: string,
  body: { preview_id: string; reason?: string; typed?: string },
  idempotencyKey: string,
) {
  const headers = { "Idempotency-Key": idempotencyKey };
  return ask<T.Bulk>(`${project(slug)}/bulk`, { method: "POST", body, headers });
}

export type BulkVerb = "undo" | "now" | "pause" | "resume" | "abort" | "retry-failed";
export function bulkVerb(slug: string, id: string, verb: BulkVerb) {
  return ask<T.Bulk>(`${project(slug)}/bulk/${part(id)}/${verb}`, { method: "POST" });
}

export function createKey(slug: string, label: string, role: string) {
  return ask<T.NewKey>(`${project(slug)}/keys`, { method: "POST", body: { label, role } });
}

export function revokeKey(slug: string, credId: string) {
  return ask<void>(`${project(slug)}/keys/${part(credId)}/revoke`, { method: "POST" });
}

export function rotateKey(slug: string, credId: string) {
  return ask<T.NewKey>(`${project(slug)}/keys/${part(credId)}/rotate`, { method: "POST" });
}

export function retireKey(slug: string, credId: string, kid: number, force: boolean) {
  const path = `${project(slug)}/keys/${part(credId)}/${kid}/retire`;
  return ask<void>(path, { method: "POST", body: { force } });
}

export const tokens = () =>
  queryOptions({
    queryKey: ["tokens"],
    queryFn: ({ signal }: Get) => ask<{ items: T.ApiToken[] }>("/tokens", { signal }),
  });

export function createToken(body: T.NewApiToken) {
  return ask<{ id: string; token: string }>("/tokens", { method: "POST", body });
}

export function revokeToken(id: string) {
  return ask<void>(`/tokens/${part(id)}/revoke`, { method: "POST" });
}

export function stepUp(password: string) {
  return ask<void>("/auth/step-up", { method: "POST", body: { password } });
}

export function logout() {
  return ask<void>("/auth/logout", { method: "POST" });
}
