/** Now, queues, workers, catalog and bulks of the fixture. */
import { DEFINITIONS, random, WORKERS } from "./fixture_data.mjs";

const yes = { ok: true, code: null, why: null, fix: null };
const no = (code, why, fix) => ({ ok: false, code, why, fix });
const num = (value, q = null, approx = false) => ({ value, approx, q });
const next = random(7);

export function queues(nowMs) {
  const shapes = [
    ["pay", 1204, 41e6, 120, 96, "never", 8, 8],
    ["mail", 318, 3.2e6, 64, 71, 45, 5, 8],
    ["media", 96, 12e6, 22, 24, 48, 6, 8],
    ["index", 12, 0.9e6, 3.1, 3.4, 40, 1, 4],
    ["reports", 4, 64e6, 0.4, 0.5, 40, 2, 2],
    ["default", 0, null, 31, 31, 0, 3, 8],
  ];
  return shapes
    .map(([name, depth, oldest, rin, rout, drain, busy, slots], at) => ({
      engine: "celery",
      app: "shop",
      name,
      depth,
      depth_why: null,
      scheduled: at * 3,
      unacked: busy,
      dead: name === "pay" ? 14 : 0,
      consumers: 2,
      oldest_us: oldest,
      paused: name === "reports",
      in_per_s: rin,
      out_per_s: rout,
      drain_s: drain,
      busy,
      slots,
      spark: Array.from({ length: 60 }, (_, i) => ({
        at: nowMs - (60 - i) * 60000,
        depth: Math.max(
          0,
          Math.round(depth * (0.4 + i / 90 + Math.sin(i / 5 + at) * 0.16 + next() * 0.08)),
        ),
      })),
      can: {
        pause: yes,
        resume: yes,
        purge: no(
          "auth.role",
          "Purging needs the admin role and policy all.",
          "Ask an admin; start the agent with Z4J_ALLOW=all.",
        ),
        peek: no(
          "engine.unsupported",
          "Peeking is off on AMQP: it would mark messages redelivered.",
          null,
        ),
      },
    }))
    .concat([
      {
        engine: "celery",
        app: "shop",
        name: "legacy",
        depth: null,
        depth_why: "no agent of this broker connected",
        scheduled: null,
        unacked: null,
        dead: null,
        consumers: null,
        oldest_us: null,
        paused: null,
        in_per_s: null,
        out_per_s: null,
        drain_s: null,
        busy: null,
        slots: null,
        spark: [],
        can: {
          pause: no(
            "agent.none",
            "No agent of this broker is connected.",
            "Start a worker with Z4J_DSN set.",
          ),
          resume: no("agent.none", "No agent of this broker is connected.", null),
          purge: no("agent.none", "No agent of this broker is connected.", null),
          peek: no("agent.none", "No agent of this broker is connected.", null),
        },
      },
    ]);
}

export function workers(rows, nowMs) {
  const states = ["online", "online", "online", "stalled", "offline"];
  const running = rows.filter((row) => row.state === "running").slice(0, 24);
  return WORKERS.map((name, at) => {
    const mine = states[at] === "offline" ? [] : running.slice(at * 5, at * 5 + 6 - at);
    return {
      id: `w${at}`,
      name,
      engine: "celery",
      app: "shop",
      host: name.split("@")[1],
      release: "1.4.2",
      state: states[at],
      busy: mine.length,
      slots: 8,
      pool: "prefork",
      running: mine.map((row) => ({
        ref: row.ref,
        id: row.id,
        task: row.task,
        started_at: row.started_at,
      })),
      queues: at === 4 ? ["media"] : ["pay", "mail", "default"],
      tasks_per_min: 410 - at * 70,
      fail_pct: [1.2, 0.8, 4.4, 9.1, null][at],
      rss_kb: 148000 + at * 22000,
      lag_ms: [3, 2, 8, 6200, null][at],
      up_since_at: nowMs - 3.2e7 * (at + 1) * 0.3,
      last_heard_at: nowMs - [900, 1200, 700, 7000, 640000][at],
      pids: [4120 + at, 4130 + at, 4140 + at],
      versions: { celery: "5.6.3", kombu: "5.6.1", python: "3.12.4", z4j: "2.0.0" },
      config: {
        worker_prefetch_multiplier: 4,
        task_acks_late: false,
        result_extended: false,
        worker_max_tasks_per_child: null,
      },
      agent: {
        id: `a${at}`,
        version: "2.0.0",
        policy: "run",
        storage: "redis",
        spool_bytes: at * 12000,
        lost: at === 3 ? 12 : 0,
      },
      can: {
        pool: no(
          "policy.level",
          "The agent allows run, resizing needs all.",
          "Start the worker with Z4J_ALLOW=all.",
        ),
        restart: no(
          "engine.unsupported",
          "Restart needs a supervisor that starts the worker again.",
          null,
        ),
      },
    };
  });
}

export function definitions(rows) {
  return DEFINITIONS.map((d) => {
    const mine = rows.filter((row) => row.task === d.name);
    const failed = mine.filter((row) => row.state === "failed");
    return {
      engine: "celery",
      name: d.name,
      module: d.name.split(".").slice(0, 2).join("."),
      doc: "Charge the order once and mail its receipt.",
      queue: d.queue,
      params: d.p.map(([name]) => ({
        name,
        kind: "POSITIONAL_OR_KEYWORD",
        has_default: false,
        default: null,
        annotation: "int",
      })),
      count: num(mine.length, `task:${d.name}`),
      failed: num(failed.length, `task:${d.name} state:failed`),
      fail_pct: mine.length ? (failed.length / mine.length) * 100 : null,
      p50_us: d.ms * 1000,
      p95_us: d.ms * 2600,
      p99_us: d.ms * 3700,
      last_failure_at: failed[0]?.at ?? null,
      workers: 4,
      live: d.name !== "shop.reports.build",
    };
  });
}

export function series(nowMs, minutes = 60) {
  const points = Array.from({ length: minutes }, (_, i) => {
    const wave = 1 + Math.sin(i / 9) * 0.3;
    const bad = i > 38 && i < 47 ? 6 : 1;
    return {
      at: nowMs - (minutes - i) * 60000,
      succeeded: Math.round(900 * wave + next() * 90),
      failed: Math.round(14 * bad + next() * 12),
      cancelled: Math.round(next() * 4),
      retried: Math.round(9 * bad + next() * 6),
      fail_pct: 1.5 * bad + next(),
      p95_took_us: 820000 + bad * 210000 + next() * 120000,
    };
  });
  return { from_at: nowMs - minutes * 60000, to_at: nowMs, step_ms: 60000, series: points };
}

export function now(rows, nowMs) {
  const failing = definitions(rows)
    .filter((d) => d.failed.value > 0)
    .sort((a, b) => b.failed.value - a.failed.value)
    .slice(0, 5);
  return {
    queues: queues(nowMs).slice(0, 6),
    queues_total: 7,
    throughput: series(nowMs),
    failing: failing.map((d) => ({
      engine: d.engine,
      task: d.name,
      failed: d.failed,
      total: d.count,
      fail_pct: d.fail_pct,
      last_error: { type: "CardDeclined", message: "card_declined: insufficient funds for tok_1" },
      last_at: d.last_failure_at,
      spark: Array.from({ length: 30 }, () => Math.round(next() * 9)),
    })),
    attention: [
      {
        kind: "worker",
        level: "bad",
        text: "celery@media-1 is offline since 10 min with 2 tasks started and not ended",
        href: "/p/demo/workers/w4",
      },
      {
        kind: "queue",
        level: "warn",
        text: "pay grows by 24/s and will not drain",
        href: "/p/demo/queues/celery/pay",
      },
      {
        kind: "lost",
        level: "warn",
        text: "12 events were lost on web-2 while its spool was full",
        href: "/p/demo/workers/w3",
      },
    ],
    totals: {
      tasks: num(rows.length, ""),
      failed: num(rows.filter((r) => r.state === "failed").length, "state:failed"),
      running: num(rows.filter((r) => r.state === "running").length, "state:running"),
      queued: num(rows.filter((r) => r.state === "queued").length, "state:queued"),
    },
  };
}
