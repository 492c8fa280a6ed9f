/** A small judge of queries for the fixture: enough of the grammar to look at, never a reference. */
const DUR = { ms: 1e3, s: 1e6, m: 60e6, h: 3600e6, d: 86400e6, w: 604800e6 };

export function parse(q) {
  const found = [];
  for (const match of q.matchAll(
    /(-?)(?:([a-z_]+(?:\.[^\s:]+)?):((?:"[^"]*"|[^\s"])+)|"([^"]*)"|(\S+))/gi,
  )) {
    const [, not, key, value, quoted, bare] = match;
    if (bare === "AND" || bare === "OR" || bare === "NOT") continue;
    found.push({
      not: not === "-",
      key,
      values: value ? value.split(",").map((v) => v.replaceAll('"', "")) : [],
      text: quoted ?? bare,
      at: match.index,
    });
  }
  return found;
}

const glob = (pattern, text) => {
  const parts = pattern.split("*");
  if (parts.length === 1) return text === pattern;
  let at = 0;
  for (const [i, part] of parts.entries()) {
    const found = text.indexOf(part, at);
    if (found === -1 || (i === 0 && found !== 0)) return false;
    at = found + part.length;
  }
  return parts.at(-1) === "" || text.endsWith(parts.at(-1));
};

function compare(value, have) {
  if (have === null) return false;
  const match = /^(>=|<=|>|<|=)?([\d.]+)(ms|s|m|h|d|w)?$/.exec(value);
  if (!match) return false;
  const want = Number(match[2]) * (match[3] ? DUR[match[3]] : 1);
  return (
    { ">": have > want, ">=": have >= want, "<": have < want, "<=": have <= want }[
      match[1] ?? "="
    ] ?? have === want
  );
}

const KEYS = new Set([
  "state",
  "engine",
  "queue",
  "worker",
  "task",
  "release",
  "host",
  "took",
  "wait",
  "age",
  "attempt",
  "id",
  "ref",
  "root",
  "is",
  "has",
  "error",
  "args",
  "exc",
  "result",
  "tag",
  "env",
  "priority",
  "at",
  "started",
  "finished",
  "eta",
  "parent",
  "issue",
  "trace",
  "schedule",
  "fire",
]);
export const KEY_LIST = [...KEYS];

export function judge(q) {
  const terms = parse(q);
  for (const term of terms) {
    if (term.key && !KEYS.has(term.key) && !term.key.startsWith("arg.")) {
      return {
        problem: {
          status: 400,
          title: "Unknown key",
          code: "query.unknown_key",
          detail: `There is no key ${term.key}.`,
          hint: "Quote it to search as text.",
          column: term.at + 1,
        },
      };
    }
    if (!term.key && term.text.length < 3) {
      return {
        problem: {
          status: 400,
          title: "Too short",
          code: "query.short_text",
          detail: "Free text needs at least 3 characters.",
          column: term.at + 1,
        },
      };
    }
  }
  const now = Date.now();
  const one = (row, term) => {
    if (!term.key)
      return `${row.task} ${row.headline} ${row.exc_type ?? ""} ${row.exc_message ?? ""}`
        .toLowerCase()
        .includes(term.text.toLowerCase());
    if (term.key === "age")
      return term.values.some((v) => compare(v, (now - row.enqueued_at) * 1000));
    if (term.key === "took" || term.key === "wait")
      return term.values.some((v) => compare(v, row[`${term.key}_us`]));
    if (term.key === "attempt") return term.values.some((v) => compare(v, row.attempt));
    if (term.key.startsWith("arg."))
      return term.values.some((v) =>
        row._values.some(
          ([k, x]) =>
            k === term.key.slice(4) && (typeof x === "number" ? compare(v, x) : glob(v, String(x))),
        ),
      );
    if (term.key === "error")
      return term.values.some((v) =>
        `${row.exc_type} ${row.exc_message}`.toLowerCase().includes(v.toLowerCase()),
      );
    if (term.key === "id" || term.key === "ref" || term.key === "root")
      return term.values.some((v) => String(row[term.key]).startsWith(v));
    return term.values.some((v) => glob(v, String(row[term.key] ?? "")));
  };
  return { matches: (row) => terms.every((term) => one(row, term) !== term.not) };
}

export function rangeOf(range, now = Date.now()) {
  const match = /^(\d+)(m|h|d)$/.exec(range ?? "1h");
  if (match) return [now - (Number(match[1]) * DUR[match[2]]) / 1000, now + 4e9];
  const [from, to] = (range ?? "").split("..").map(Number);
  return from ? [from, to] : [0, now + 4e9];
}

export function completions(q, pos, rows) {
  const head = q.slice(0, pos);
  const value = /(?:^|[\s(-])([a-z_.]+):(?:[^\s"]*,)?([^\s,"]*)$/.exec(head);
  if (value) {
    const [, key, start] = value;
    const counts = new Map();
    for (const row of rows.slice(0, 20000)) {
      const v = row[key];
      if (typeof v === "string" && v.includes(start)) counts.set(v, (counts.get(v) ?? 0) + 1);
    }
    const items = [...counts]
      .sort((a, b) => b[1] - a[1])
      .slice(0, 10)
      .map(([text, count]) => ({ text, kind: "value", count, hint: "" }));
    return { from: pos - start.length, to: pos, items };
  }
  const word = /([a-z_]*)$/.exec(head)?.[1] ?? "";
  const hints = {
    state: "queued, running, failed …",
    queue: "exact or glob",
    task: "name or glob, shop.*",
    took: "duration: >2s",
    age: "since enqueue: <1h",
    worker: "exact or glob",
    error: "text in the error",
    arg: "arg.<name>: a value",
  };
  const items = KEY_LIST.filter((k) => k.startsWith(word))
    .slice(0, 9)
    .map((k) => ({ text: `${k}:`, kind: "key", count: null, hint: hints[k] ?? "" }));
  return { from: pos - word.length, to: pos, items };
}
