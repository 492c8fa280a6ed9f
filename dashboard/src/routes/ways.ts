/** What to type to see an engine where it runs. The rule: an install line, at most one line of code, a start line. */

export type Engine = { id: string; extra: string; worker: string };
export type Place = { id: string; extra: string; code: string; start: string };

/** Only what can be installed: a test compares `extra` with the extras of the package. */
export const ENGINES: Engine[] = [
  { id: "Celery", extra: "celery", worker: "celery -A shop worker" },
  { id: "RQ", extra: "rq", worker: "z4j run -- rq worker" },
  { id: "Dramatiq", extra: "dramatiq", worker: "z4j run -- dramatiq shop.tasks" },
  { id: "Huey", extra: "huey", worker: "z4j run -- huey_consumer shop.app.huey" },
  { id: "arq", extra: "arq", worker: "z4j run -- arq shop.worker.WorkerSettings" },
  { id: "taskiq", extra: "taskiq", worker: "z4j run -- taskiq worker shop.tkq:broker" },
];

const AS_EVER = "# then start it as ever";

/** Processes that enqueue; the first is the worker, which needs no code. */
export const PLACES: Place[] = [
  { id: "Worker", extra: "", code: "", start: "" },
  {
    id: "Django",
    extra: "django",
    code: '# settings.py\nINSTALLED_APPS += ["z4j_django"]\n',
    start: AS_EVER,
  },
  {
    id: "Flask",
    extra: "flask",
    code: "# beside the app\nfrom z4j_flask import Z4J\nZ4J(app)\n",
    start: AS_EVER,
  },
  {
    id: "FastAPI",
    extra: "fastapi",
    code: "# beside the app; Starlette too\nfrom z4j_fastapi import Z4J\nZ4J(app)\n",
    start: AS_EVER,
  },
  {
    id: "Other",
    extra: "",
    code: "# where it begins\nimport z4j\nz4j.init()\n",
    start: AS_EVER,
  },
];

/** All lines to copy; without a version the newest is installed. */
export function blockOf(
  engine: Engine,
  place: Place,
  dsn: string,
  version: string | undefined,
): string {
  const extras = [place.extra, engine.extra].filter(Boolean).join(",");
  const pin = version ? `==${version}` : "";
  const install = `pip install 'z4j[${extras}]${pin}'`;
  return `${install}\n${place.code}export Z4J_DSN='${dsn}'\n${place.start || engine.worker}`;
}
