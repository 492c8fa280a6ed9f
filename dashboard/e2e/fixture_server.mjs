/** A contract server for development: the built page over synthetic tasks. Never shipped, never a test's judge.
 * Usage: node e2e/fixture_server.mjs [port] [rows] */
import { createServer } from "node:http";
import { detail, flowOf, makeTask, makeTasks } from "./fixture_data.mjs";
import { file } from "./fixture_files.mjs";
import * as pages from "./fixture_pages.mjs";
import { keyList, me, onboarding, refusedList } from "./fixture_people.mjs";
import { completions, judge, rangeOf } from "./fixture_query.mjs";

const port = Number(process.argv[2] ?? 7711);
const size = Number(process.argv[3] ?? 100_000);
const rows = makeTasks(size, Date.now(), 3_600_000 * 0.98);
const byRef = new Map(rows.map((row) => [row.ref, row]));
const bulks = new Map();
const previews = new Map();
const streams = new Set();
const isEmpty = process.env.Z4J_FIXTURE_EMPTY === "1";
const strip = ({ _values, ...row }) => row;
const num = (value, q = null) => ({ value, approx: value > 10_000, q });

function json(response, body, status = 200) {
  response.writeHead(status, {
    "Content-Type": status < 400 ? "application/json" : "application/problem+json",
    "Cache-Control": "no-store",
  });
  response.end(body === undefined ? undefined : JSON.stringify(body));
}

function matching(params) {
  const judged = judge(params.get("q") ?? "");
  if (judged.problem) return judged;
  const [from, to] = rangeOf(params.get("range"));
  return { rows: rows.filter((row) => row.at >= from && row.at <= to && judged.matches(row)) };
}

const FIELD = {
  at: "at",
  started: "started_at",
  finished: "finished_at",
  wait: "wait_us",
  took: "took_us",
  attempt: "attempt",
  task: "task",
  queue: "queue",
};

function tasks(params) {
  const found = matching(params);
  if (found.problem) return found;
  const sort = params.get("sort") ?? "-at";
  const field = FIELD[sort.replace("-", "")];
  const sign = sort.startsWith("-") ? -1 : 1;
  if (sort !== "-at")
    found.rows = [...found.rows].sort((a, b) =>
      (a[field] ?? -1) < (b[field] ?? -1) ? -sign : sign,
    );
  const from = Number(params.get("cursor") ?? 0);
  const limit = Number(params.get("limit") ?? 100);
  const items = found.rows.slice(from, from + limit).map(strip);
  return {
    items,
    next: from + limit < found.rows.length ? String(from + limit) : null,
    total: num(found.rows.length, params.get("q") ?? ""),
    as_of: Date.now(),
    watermark: "0",
  };
}

function facets(params) {
  const found = matching(params);
  if (found.problem) return found;
  const out = {};
  for (const name of ["state", "engine", "queue", "worker", "task", "release"]) {
    const counts = new Map();
    for (const row of found.rows)
      if (row[name]) counts.set(row[name], (counts.get(row[name]) ?? 0) + 1);
    out[name] = [...counts]
      .sort((a, b) => b[1] - a[1])
      .slice(0, 20)
      .map(([value, n]) => ({ value, count: num(n, `${name}:${value}`) }));
  }
  return out;
}

function histogram(params) {
  const found = matching(params);
  if (found.problem) return found;
  let [from, to] = rangeOf(params.get("range"));
  to = Math.min(to, Date.now());
  from = Math.max(from, (rows.at(-1)?.at ?? to) - 60000);
  const step = Math.max(1000, Math.ceil((to - from) / 120 / 1000) * 1000);
  const buckets = new Map();
  for (const row of found.rows) {
    const at = from + Math.floor((row.at - from) / step) * step;
    const bucket = buckets.get(at) ?? { at, counts: {} };
    bucket.counts[row.state] = (bucket.counts[row.state] ?? 0) + 1;
    buckets.set(at, bucket);
  }
  return {
    from_at: from,
    to_at: to,
    step_ms: step,
    buckets: [...buckets.values()].sort((a, b) => a.at - b.at),
  };
}

function preview(body) {
  const asked = body.refs
    ? body.refs.map((ref) => byRef.get(ref)).filter(Boolean)
    : body.q !== undefined
      ? matching(new URLSearchParams({ q: body.q, range: body.range ?? "1h" })).rows
      : [];
  const id = `p${previews.size}`;
  const states = {};
  for (const row of asked) states[row.state] = (states[row.state] ?? 0) + 1;
  const drift = asked.length > 20 ? 3 : 0;
  const total = body.targets ? body.targets.length : asked.length;
  previews.set(id, { ...body, asked, total });
  const skip = drift ? [{ code: "task.state_changed", n: drift, why: "no longer failed" }] : [];
  return {
    preview_id: id,
    as_of: Date.now(),
    total,
    by_state: states,
    sample: asked.slice(0, 5).map(strip),
    effect: body.targets
      ? `The queue will stop being consumed until it is resumed.`
      : `Each task is enqueued again as a new task with the same arguments; the old ones stay as they are.`,
    per_engine: [{ engine: "celery", will: total - drift, skipped: skip }],
    drift,
    needs: {
      reason: body.action === "terminate" || body.action === "retry_edited",
      typed: body.action === "terminate" ? String(total) : null,
      step_up: false,
    },
  };
}

function start(body) {
  const asked = previews.get(body.preview_id);
  const id = `b${bulks.size + 1}`;
  const bulk = {
    id,
    action: asked.action,
    params: asked.params ?? null,
    q: asked.q ?? null,
    state: "held",
    total: asked.total,
    counts: { held: asked.total },
    rate: null,
    hold_until_at: Date.now() + 8000,
    by: "ada",
    via: "ui",
    reason: body.reason ?? null,
    created_at: Date.now(),
    finished_at: null,
  };
  bulks.set(id, bulk);
  setTimeout(() => bulk.state === "held" && dispatch(bulk), 8000);
  return bulk;
}

function dispatch(bulk) {
  Object.assign(bulk, { state: "running", rate: 200, hold_until_at: null });
  const timer = setInterval(() => {
    const done = Math.min(
      bulk.total,
      (bulk.counts.done ?? 0) + Math.max(1, Math.round(bulk.total / 8)),
    );
    bulk.counts = { done, sent: bulk.total - done };
    if (done >= bulk.total || bulk.state === "aborted") {
      clearInterval(timer);
      if (bulk.state === "running") Object.assign(bulk, { state: "done", finished_at: Date.now() });
    }
    send("bulk", bulk);
  }, 300);
  send("bulk", bulk);
}

function verb(id, name, response) {
  const bulk = bulks.get(id);
  if (name === "undo") {
    if (bulk.state !== "held")
      return json(
        response,
        {
          status: 409,
          code: "bulk.sent",
          title: "Already sent",
          detail: "The commands have already left; nothing was undone.",
        },
        409,
      );
    Object.assign(bulk, {
      state: "undone",
      counts: { undone: bulk.total },
      finished_at: Date.now(),
    });
  } else if (name === "now") dispatch(bulk);
  else if (name === "abort") Object.assign(bulk, { state: "aborted", finished_at: Date.now() });
  else if (name === "pause" || name === "resume")
    bulk.state = name === "pause" ? "paused" : "running";
  send("bulk", bulk);
  return json(response, bulk);
}

function items(bulk) {
  const found = rows.filter((row) => row.state === "failed").slice(0, Math.min(bulk.total, 40));
  return {
    items: found.map((row, idx) => ({
      idx,
      ref: row.ref,
      id: row.id,
      task: row.task,
      engine: row.engine,
      state: idx % 13 === 5 ? "skipped" : "done",
      code: idx % 13 === 5 ? "replay.missing" : null,
      detail: idx % 13 === 5 ? "no replay record is kept for this task" : null,
      new_id: row.id,
      new_ref: row.ref,
    })),
    next: null,
  };
}

function send(event, data) {
  for (const stream of streams)
    stream.response.write(`event: ${event}\nid: ${Date.now()}\ndata: ${JSON.stringify(data)}\n\n`);
}

const perTick = Number(process.env.Z4J_FIXTURE_RATE ?? 3);
const live = setInterval(() => {
  const now = Date.now();
  const fresh = Array.from({ length: perTick }, () => makeTask(now, "running"));
  for (const row of fresh) byRef.set(row.ref, row);
  const ended = rows
    .slice(0, 60)
    .filter((row) => row.state === "running")
    .slice(-perTick);
  rows.unshift(...fresh);
  for (const row of ended)
    Object.assign(row, {
      state: row.attempt % 7 === 6 ? "failed" : "succeeded",
      finished_at: now,
      took_us: (now - row.started_at) * 1000,
      v: row.v + 1,
    });
  for (const stream of streams) {
    if (stream.params.get("view") !== "tasks") continue;
    const judged = judge(stream.params.get("q") ?? "");
    const up = ended.map((row) => [
      row.ref,
      row.v,
      { state: row.state, finished_at: row.finished_at, took_us: row.took_us, at: now },
    ]);
    const added = judged.matches ? fresh.filter(judged.matches).map(strip) : [];
    const event = {
      up,
      new: added,
      gone: judged.matches ? ended.filter((row) => !judged.matches(row)).map((row) => row.ref) : [],
    };
    stream.response.write(`event: rows\nid: ${now}\ndata: ${JSON.stringify(event)}\n\n`);
  }
}, 1000);
const lag = setInterval(
  () =>
    send("lag", {
      age_ms: 240 + Math.random() * 200,
      agents: [
        { id: "web-1", age_ms: 240, lost: 0 },
        { id: "web-2", age_ms: 900, lost: 12 },
      ],
    }),
  1000,
);

function openStream(request, response, params) {
  response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
  const stream = { response, params };
  streams.add(stream);
  response.write('event: hello\ndata: {"watermark":"0","hz":4}\n\n');
  request.on("close", () => streams.delete(stream));
}

function read(path, params) {
  const now = Date.now();
  const part = path.split("/");
  const simple = {
    "/now": () => pages.now(rows, now),
    "/tasks": () => tasks(params),
    "/facets": () => facets(params),
    "/histogram": () => histogram(params),
    "/definitions": () => ({ items: pages.definitions(rows) }),
    "/queues": () => ({ items: pages.queues(now) }),
    "/workers": () => ({ items: pages.workers(rows, now) }),
    "/bulk": () => ({ items: [...bulks.values()].reverse(), next: null }),
    "/keys": () => ({ items: keyList }),
    "/keys/refused": () => ({ items: refusedList }),
    "/onboarding": () => onboarding(isEmpty),
    "/agents": () => ({ items: [] }),
  };
  if (simple[path]) return simple[path]();
  if (path === "/count") {
    const found = matching(params);
    return found.problem ? found : num(found.rows.length, params.get("q"));
  }
  if (path === "/query/complete")
    return completions(params.get("q") ?? "", Number(params.get("pos")), rows);
  if (part[1] === "tasks" && part[3] === "flow") return flowOf(byRef.get(part[2]), rows);
  if (part[1] === "tasks") {
    const row = byRef.get(part[2]);
    return row
      ? detail(row, rows)
      : {
          problem: {
            status: 404,
            code: "task.not_found",
            title: "No such task",
            detail: "There is no task with this reference.",
          },
        };
  }
  if (part[1] === "definitions")
    return {
      ...pages.definitions(rows).find((d) => d.name === decodeURIComponent(part[3])),
      series: pages.series(now),
    };
  if (part[1] === "workers") return pages.workers(rows, now).find((w) => w.id === part[2]);
  if (part[1] === "queues" && part[4] === "peek")
    return { items: [], why: "Peeking is off on AMQP." };
  if (part[1] === "bulk" && part[3] === "items") return items(bulks.get(part[2]));
  if (part[1] === "bulk") return bulks.get(part[2]);
  return undefined;
}

function write(path, body, response) {
  const part = path.split("/");
  if (path === "/bulk/preview") return json(response, preview(body));
  if (path === "/bulk") return json(response, start(body), 202);
  if (part[1] === "bulk") return verb(part[2], part[3], response);
  if (path === "/keys")
    return json(response, {
      cred_id: "c3",
      key_id: "z4k_new",
      kid: 3,
      created_at: Date.now(),
      dsn: "https://z4k_newnewne:z4s_9f3c41d0aa77b1@z4j.example.com/demo",
    });
  return json(response, undefined, 204);
}

const server = createServer((request, response) => {
  const url = new URL(request.url, "http://localhost");
  if (!url.pathname.startsWith("/api/")) return file(response, url.pathname);
  if (url.pathname === "/api/v1/me") return json(response, me());
  const path = url.pathname.replace(/^\/api\/v1\/projects\/[^/]+/, "");
  if (path === "/live") return openStream(request, response, url.searchParams);
  if (request.method === "GET") {
    const found = read(path, url.searchParams);
    if (found === undefined)
      return json(response, { status: 404, code: "http.404", title: "Not found" }, 404);
    return found.problem
      ? json(response, found.problem, found.problem.status)
      : json(response, found);
  }
  let text = "";
  request.on("data", (chunk) => (text += chunk));
  request.on("end", () => write(path, text ? JSON.parse(text) : {}, response));
  return undefined;
});
server.listen(port, "127.0.0.1", () =>
  console.log(`http://127.0.0.1:${port}/p/demo/tasks  ${size} rows`),
);
process.on("SIGTERM", () => {
  clearInterval(live);
  clearInterval(lag);
  server.close(() => process.exit(0));
  server.closeAllConnections();
});
