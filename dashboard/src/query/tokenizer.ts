/** Colours and completes the query language. The rule: every character belongs to one token; the brain alone judges. */
export type TokenKind =
  | "space"
  | "keyword"
  | "not"
  | "paren"
  | "key"
  | "colon"
  | "op"
  | "comma"
  | "value"
  | "text"
  | "open";
export type Token = { kind: TokenKind; from: number; to: number; text: string };
export type Term = {
  key: string;
  values: string[];
  negated: boolean;
  from: number;
  to: number;
  depth: number;
};
export type Hint = { column: number; message: string; isKey?: boolean };

const SPACE = /[ \t\n\r]+/y;
const KEYWORD = /(?:AND|OR|NOT)(?=[\s()"]|$)/y;
const KEY = /[A-Za-z_][A-Za-z0-9_]*(?:\.(?:"(?:[^"\\]|\\.)*"|[^\s:."(),]+))*(?=:)/y;
const OP = />=|<=|[=><]/y;
const QUOTED = /"(?:[^"\\]|\\.)*"/y;
const VALUE = /[^\s"(),]+/y;
const BARE = /[^\s"()]+/y;

export const KEYS = (
  "state engine env priority is has task queue worker host release tag schedule id ref root parent issue fire " +
  "trace attempt wait took age at started finished eta arg args error exc result"
).split(" ");

type Rule = [kind: TokenKind, pattern: RegExp];
const TOP: Rule[] = [
  ["space", SPACE],
  ["keyword", KEYWORD],
  ["paren", /[()]/y],
  ["not", /-(?=[^\s])/y],
  ["text", QUOTED],
  ["open", /"[\s\S]*/y],
  ["key", KEY],
  ["text", BARE],
];
const FIELD: Rule[] = [
  ["colon", /:/y],
  ["op", OP],
  ["value", QUOTED],
  ["open", /"[\s\S]*/y],
  ["comma", /,/y],
  ["value", VALUE],
];

function step(q: string, at: number, rules: Rule[]): Token | null {
  for (const [kind, pattern] of rules) {
    pattern.lastIndex = at;
    const found = pattern.exec(q);
    if (found) return { kind, from: at, to: pattern.lastIndex, text: found[0] };
  }
  return null;
}

export function tokenize(q: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  let inField = false;
  while (at < q.length) {
    let token: Token | null = inField ? step(q, at, FIELD) : null;
    if (!token) {
      token = step(q, at, TOP) ?? { kind: "text", from: at, to: at + 1, text: q.charAt(at) };
      inField = token.kind === "key";
    }
    if (token.kind === "op" && tokens.at(-1)?.kind === "value") token = { ...token, kind: "value" };
    tokens.push(token);
    at = token.to;
  }
  return tokens;
}

export function unquote(value: string): string {
  return value.startsWith('"') && value.endsWith('"') && value.length > 1
    ? value.slice(1, -1).replace(/\\(["\\])/g, "$1")
    : value;
}

export function quote(value: string): string {
  const isBare = /^[^\s"(),]+$/.test(value) && !/^[=<>-]/.test(value) && !value.includes("..");
  return isBare ? value : `"${value.replace(/(["\\])/g, "\\$1")}"`;
}

/** The `key:value` terms with their place, in order. */
export function terms(q: string): Term[] {
  const found: Term[] = [];
  let depth = 0;
  let previous: Token | null = null;
  let current: Term | null = null;
  for (const token of tokenize(q)) {
    if (token.kind === "paren") depth += token.text === "(" ? 1 : -1;
    if (token.kind === "key") {
      const negated =
        previous?.kind === "not" || (previous?.kind === "keyword" && previous.text === "NOT");
      current = { key: token.text, values: [], negated, from: token.from, to: token.to, depth };
      found.push(current);
    } else if (current && ["colon", "op", "comma", "value"].includes(token.kind)) {
      current.to = token.to;
      if (token.kind === "value") current.values.push(unquote(token.text));
    } else current = null;
    if (token.kind !== "space") previous = token;
  }
  return found;
}

/** What is plainly unfinished or misspelt, with its 1-based column; null when worth sending. */
export function lint(q: string, keys: readonly string[] = KEYS): Hint | null {
  let depth = 0;
  const tokens = tokenize(q);
  for (const [at, token] of tokens.entries()) {
    if (token.kind === "open")
      return { column: token.from + 1, message: "this quote is not closed" };
    if (token.kind === "paren") depth += token.text === "(" ? 1 : -1;
    if (depth < 0) return { column: token.from + 1, message: "no matching (" };
    const wrong = token.kind === "key" ? keyHint(token, keys) : null;
    if (wrong) return wrong;
    const next = tokens[at + 1];
    const waits = token.kind === "colon" || token.kind === "op" || token.kind === "comma";
    if (waits && next?.kind !== "value" && next?.kind !== "op" && next?.kind !== "open") {
      return { column: token.to + 1, message: "a value is missing here" };
    }
  }
  return depth > 0 ? { column: q.length + 1, message: "a ) is missing" } : null;
}

function keyHint(token: Token, keys: readonly string[]): Hint | null {
  const name = token.text.split(".")[0] ?? "";
  if (keys.includes(name)) return null;
  const near = nearest(name, keys);
  const advice = near ? `did you mean ${near}:?` : "quote it to search as text";
  return { column: token.from + 1, message: `unknown key ${name}: ${advice}`, isKey: true };
}

/** Nearest key within two edits. */
export function nearest(name: string, keys: readonly string[] = KEYS): string | null {
  let best: string | null = null;
  let least = 3;
  for (const key of keys) {
    const edits = distance(name.toLowerCase(), key);
    if (edits < least) [best, least] = [key, edits];
  }
  return best;
}

function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const swap = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, swap));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
