/** Synthetic tasks for development. The rule: the same seed gives the same rows, and none of it is ever shipped. */
const SEED = 20261124;

export function random(seed = SEED) {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const next = random();
const pick = (list) => list[Math.floor(next() * list.length)];
const hex = (n) =>
  Array.from({ length: n }, () => "0123456789abcdef"[Math.floor(next() * 16)]).join("");

export const DEFINITIONS = [
  {
    name: "shop.orders.charge",
    queue: "pay",
    p: [
      ["order_id", 911],
      ["amount", 30],
      ["card_token", "tok_1"],
    ],
    ms: 240,
    fail: 0.06,
    w: 16,
  },
  {
    name: "shop.mail.send_receipt",
    queue: "mail",
    p: [
      ["to", "ada@example.org"],
      ["order_id", 911],
    ],
    ms: 84,
    fail: 0.015,
    w: 26,
  },
  { name: "shop.mail.digest", queue: "mail", p: [["user_id", 7]], ms: 620, fail: 0.01, w: 6 },
  {
    name: "shop.search.reindex",
    queue: "index",
    p: [
      ["collection", "products"],
      ["since", "2026-11-20"],
    ],
    ms: 4200,
    fail: 0.02,
    w: 4,
  },
  {
    name: "shop.images.thumbnail",
    queue: "media",
    p: [
      ["key", "img/88.jpg"],
      ["width", 640],
    ],
    ms: 380,
    fail: 0.008,
    w: 22,
  },
  {
    name: "shop.images.transcode",
    queue: "media",
    p: [
      ["key", "v/3.mov"],
      ["preset", "h264"],
    ],
    ms: 31000,
    fail: 0.05,
    w: 3,
  },
  {
    name: "shop.stock.sync",
    queue: "default",
    p: [["warehouse", "MAD-2"]],
    ms: 1500,
    fail: 0.03,
    w: 8,
  },
  {
    name: "shop.reports.build",
    queue: "reports",
    p: [
      ["month", "2026-10"],
      ["tenant", 44],
    ],
    ms: 9800,
    fail: 0.04,
    w: 3,
  },
  {
    name: "shop.webhooks.deliver",
    queue: "default",
    p: [
      ["url", "https://hooks.example.net/a"],
      ["event", "paid"],
    ],
    ms: 190,
    fail: 0.09,
    w: 12,
  },
];
export const WORKERS = [
  "celery@web-1",
  "celery@web-2",
  "celery@batch-1",
  "celery@batch-2",
  "celery@media-1",
];
const TOTAL_W = DEFINITIONS.reduce((sum, d) => sum + d.w, 0);
const ERRORS = [
  ["CardDeclined", "card_declined: insufficient funds for tok_1"],
  [
    "requests.exceptions.ReadTimeout",
    "HTTPSConnectionPool(host='hooks.example.net', port=443): Read timed out. (read timeout=5)",
  ],
  ["psycopg.errors.SerializationFailure", "could not serialize access due to concurrent update"],
  ["KeyError", "'warehouse'"],
];
const HOSTILE =
  "<img src=x onerror=alert(1)> \u202egnp.exe\u202c zero\u200bwidth \u0007bell {{7*7}}";

function definition() {
  let at = next() * TOTAL_W;
  for (const d of DEFINITIONS) {
    at -= d.w;
    if (at < 0) return d;
  }
  return DEFINITIONS[0];
}

function stateOf(d, ageMs) {
  const roll = next();
  if (ageMs < 4000 && roll < 0.5) return pick(["queued", "running", "running"]);
  if (roll < 0.004) return "running";
  if (roll < d.fail) return "failed";
  if (roll < d.fail + 0.008) return "retrying";
  if (roll > 0.997) return pick(["lost", "cancelled", "expired", "unknown"]);
  if (roll > 0.993) return "scheduled";
  if (roll > 0.988) return "queued";
  return "succeeded";
}

let serial = 0;
export function makeTask(at, fixed) {
  serial += 1;
  const d = definition();
  const state = fixed ?? stateOf(d, Date.now() - at);
  const tookMs = d.ms * (0.4 + next() * next() * 4);
  const waitMs = 2 + next() * next() * 1800;
  const isDone = ["succeeded", "failed", "lost"].includes(state);
  const hasStarted = isDone || ["running", "retrying"].includes(state);
  const error = ["failed", "retrying"].includes(state) ? pick(ERRORS) : null;
  const attempt =
    state === "failed" ? 3 : state === "retrying" ? 1 + Math.floor(next() * 2) : hasStarted ? 1 : 0;
  const values = d.p.map(([name, sample]) => [
    name,
    typeof sample === "number" ? Math.floor(next() * 90000) : sample,
  ]);
  if (serial % 977 === 0) values[0] = [values[0][0], HOSTILE];
  const id = `${hex(8)}-${hex(4)}-4${hex(3)}-a${hex(3)}-${hex(12)}`;
  return {
    ref: `t${serial.toString(36)}${hex(6)}`,
    engine: "celery",
    app: "shop",
    id,
    task: d.name,
    state,
    queue: d.queue,
    worker: hasStarted
      ? d.queue === "media"
        ? "celery@media-1"
        : pick(WORKERS.slice(0, 4))
      : null,
    attempt,
    max_attempts: 3,
    headline: values
      .slice(0, 2)
      .map(([k, v]) => `${k}=${v}`)
      .join(" "),
    enqueued_at: Math.round(at - waitMs - (isDone ? tookMs : 0)),
    started_at: hasStarted ? Math.round(at - (isDone ? tookMs : 0)) : null,
    finished_at: isDone ? Math.round(at) : null,
    eta_at: state === "scheduled" ? Math.round(at + 3.6e6 * next()) : null,
    at: Math.round(at),
    wait_us: hasStarted ? Math.round(waitMs * 1000) : null,
    took_us: isDone ? Math.round(tookMs * 1000) : null,
    exc_type: error?.[0] ?? null,
    exc_message: error?.[1] ?? null,
    replayable: true,
    retry_of: null,
    priority: null,
    host: "web-1",
    release: next() < 0.7 ? "1.4.2" : "1.4.1",
    environment: "production",
    tags: {},
    root: id,
    parent: null,
    flags: [],
    v: 1,
    _values: values,
  };
}

export function makeTasks(n, nowMs, spanMs) {
  const rows = [];
  for (let at = 0; at < n; at += 1)
    rows.push(makeTask(nowMs - (at / n) ** 1.25 * spanMs - next() * 200));
  return rows.sort((a, b) => b.at - a.at);
}

const TRACE = `Traceback (most recent call last):
  File "/usr/lib/python3.12/site-packages/celery/app/trace.py", line 453, in trace_task
    R = retval = fun(*args, **kwargs)
  File "/srv/shop/orders/tasks.py", line 88, in charge
    receipt = gateway.charge(order, amount)
`;

const shown = (text, flags = 0) => ({ flags, size: text.length, text });

function errorOf(row) {
  if (!row.exc_type) return null;
  const frames = [
    {
      file: "/usr/lib/python3.12/site-packages/celery/app/trace.py",
      line: 453,
      function: "trace_task",
      code: "R = retval = fun(*args, **kwargs)",
      in_app: false,
    },
    {
      file: "/usr/lib/python3.12/site-packages/celery/app/trace.py",
      line: 736,
      function: "__protected_call__",
      code: "return self.run(*args, **kwargs)",
      in_app: false,
    },
    {
      file: "/srv/shop/orders/tasks.py",
      line: 88,
      function: "charge",
      code: "receipt = gateway.charge(order, amount, idempotency_key=order.key)",
      in_app: true,
    },
    {
      file: "/srv/shop/payments/gateway.py",
      line: 41,
      function: "Gateway.charge",
      code: "raise CardDeclined(response.code, token=card.token)",
      in_app: true,
    },
  ];
  const cause = {
    kind: "cause",
    type: "http.HTTPError",
    message: shown("402 Payment Required"),
    traceback: null,
    frames: [
      {
        file: "/srv/shop/payments/http.py",
        line: 19,
        function: "post",
        code: "response.raise_for_status()",
        in_app: true,
      },
    ],
    chain: [],
  };
  return {
    type: row.exc_type,
    message: shown(row.exc_message),
    traceback: shown(`${TRACE}${row.exc_type}: ${row.exc_message}`),
    frames,
    chain: [cause],
  };
}

function attemptsOf(row) {
  const found = [];
  let at = row.enqueued_at;
  for (let n = 1; n <= row.attempt; n += 1) {
    const isLast = n === row.attempt;
    const took = isLast ? (row.took_us ?? 0) / 1000 : 150 + n * 60;
    const started = at + 40 * n;
    const state = isLast ? row.state : "failed";
    const finished = state === "running" ? null : started + took;
    const gap = isLast ? (state === "retrying" ? finished + 4000 : null) : finished + 400 * n;
    found.push({
      attempt: n,
      run: `r${n}`,
      state,
      worker: row.worker,
      pid: 4120 + n,
      queued_at: at,
      received_at: at + 15,
      started_at: started,
      finished_at: finished,
      took_us: finished ? took * 1000 : null,
      exc_type: state === "failed" ? row.exc_type : null,
      exc_message: null,
      traceback: null,
      next_at: gap,
    });
    at = gap ?? at;
  }
  return found;
}

const yes = { ok: true, code: null, why: null, fix: null };
const no = (code, why, fix) => ({ ok: false, code, why, fix });

export function detail(row, rows) {
  const isOver = ["succeeded", "failed", "cancelled", "lost", "expired"].includes(row.state);
  const link = (one) => ({ ref: one.ref, id: one.id, task: one.task, state: one.state });
  const family = row.task.includes("charge") ? rows.slice(40, 43).map(link) : [];
  const json = JSON.stringify(row._values.map(([, v]) => v)).replace(/\]$/, ",9007199254740993]");
  const params = [
    ...row._values.map(([name]) => ({ name, kind: "POSITIONAL_OR_KEYWORD" })),
    { name: "trace_no", kind: "POSITIONAL_OR_KEYWORD" },
  ];
  const { _values, ...plain } = row;
  return {
    ...plain,
    args: shown(json),
    kwargs: shown(
      '{"options":{"notify":true,"channels":["mail","sms"],"ratio":0.1,"big":123456789012345678901234567890},"note":"line one\\nline two"}',
    ),
    params,
    result:
      row.state === "succeeded" ? shown('{"receipt":"rc_18f","charged":3000,"ok":true}') : null,
    error: errorOf(row),
    definition: { engine: row.engine, name: row.task, known: true },
    attempts: attemptsOf(row),
    parent: null,
    children: family,
    retry_of: null,
    retried_as: [],
    actions: {
      retry: isOver
        ? yes
        : no(
            "task.state_changed",
            "Only a finished task can be retried.",
            "Wait for its end, or cancel it first.",
          ),
      edit_retry: isOver
        ? yes
        : no(
            "task.state_changed",
            "Only a finished task can be retried.",
            "Wait for its end, or cancel it first.",
          ),
      cancel: isOver ? no("task.state_changed", `The task has already ${row.state}.`, null) : yes,
      terminate: no(
        "policy.level",
        "The agent on web-1 allows control, terminate needs all.",
        "Start the worker with Z4J_ALLOW=all.",
      ),
    },
    facts: [
      { label: "pid", value: "4123" },
      { label: "routing key", value: row.queue },
      { label: "reply to", value: "8d1f-…" },
    ],
    evidence:
      row.state === "lost" ? `worker ${row.worker} silent since 14:02:11, no end fact` : null,
  };
}

export function flowOf(row, rows) {
  const nodes = [row, ...rows.slice(40, 43)].map((one) => ({
    ref: one.ref,
    id: one.id,
    task: one.task,
    engine: one.engine,
    state: one.state,
    started_at: one.started_at,
    finished_at: one.finished_at,
  }));
  return { nodes, edges: nodes.slice(1).map((node) => [row.ref, node.ref]), truncated: false };
}
