/** The one way to the brain. The rule: every failure becomes a Problem with a code, and 401 leads to the login page. */
export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly requestId: string | null;
  readonly column: number | null;
  readonly hint: string | null;
  readonly field: string | null;
  /** What this kind of problem alone carries. */
  readonly extra: Readonly<Record<string, unknown>>;

  constructor(status: number, body: Record<string, unknown>) {
    const title = text(body.title) ?? `The server answered ${status}`;
    super(text(body.detail) ?? title);
    this.name = "Problem";
    this.status = status;
    this.code = text(body.code) ?? `http.${status}`;
    this.detail = text(body.detail) ?? title;
    this.requestId = text(body.request_id);
    this.column = typeof body.column === "number" ? body.column : null;
    this.hint = text(body.hint);
    this.field = text(body.field);
    this.extra = body;
  }
}

function text(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

type Init = {
  method?: string;
  body?: unknown;
  /** The body as JSON text, for numbers that a JS Number cannot hold. */
  json?: string;
  signal?: AbortSignal;
  headers?: Record<string, string>;
};
type Query = Record<string, string | number | undefined | null>;

export function url(path: string, query?: Query): string {
  const params = new URLSearchParams();
  for (const [key, value] of Object.entries(query ?? {})) {
    if (value !== undefined && value !== null && value !== "") params.set(key, String(value));
  }
  const tail = params.toString();
  return `/api/v1${path}${tail ? `?${tail}` : ""}`;
}

export function toLogin(): void {
  if (location.pathname.startsWith("/login")) return;
  const next = location.pathname + location.search;
  location.assign(`/login?next=${encodeURIComponent(next)}`);
}

async function problemOf(response: Response): Promise<Problem> {
  const body: unknown = await response.json().catch(() => ({}));
  const known = typeof body === "object" && body !== null ? body : {};
  return new Problem(response.status, known as Record<string, unknown>);
}

/** Ask the brain.
 * @throws Problem: the server refused, or (status 0, `net.offline`) nothing is known of the outcome. */
export async function send(path: string, init: Init = {}, query?: Query): Promise<Response> {
  const method = init.method ?? "GET";
  const headers: Record<string, string> = { Accept: "application/json", ...init.headers };
  const body = init.json ?? (init.body === undefined ? undefined : JSON.stringify(init.body));
  if (method !== "GET") headers["X-Z4J"] = "1";
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let response: Response;
  try {
    response = await fetch(url(path, query), {
      method,
      headers,
      credentials: "same-origin",
      signal: init.signal,
      body,
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Problem(0, { code: "net.offline", title: "The brain cannot be reached." });
  }
  if (response.status === 401) {
    const problem = await problemOf(response);
    if (problem.code !== "auth.wrong") toLogin();
    throw problem;
  }
  if (!response.ok) throw await problemOf(response);
  return response;
}

/** Ask the brain and decode its JSON; throws as `send` does. */
export async function ask<T>(path: string, init: Init = {}, query?: Query): Promise<T> {
  const response = await send(path, init, query);
  if (response.status === 204) return undefined as T;
  return (await response.json()) as T;
}

/** Trade the one-time token in the page's fragment for a session, then drop the fragment. */
export async function tradeFragmentLink(): Promise<void> {
  const token = location.hash.slice(1);
  if (!/^[A-Za-z0-9_-]{6,200}$/.test(token)) return;
  history.replaceState(history.state, "", location.pathname + location.search);
  await ask<void>("/auth/link", { method: "POST", body: { token } }).catch(() => undefined);
}
