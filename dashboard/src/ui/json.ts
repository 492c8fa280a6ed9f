/** JSON text to a typed tree. The rule: a number keeps its digits as text, it never becomes a JS Number. */
export type Json =
  | { kind: "object"; entries: [key: string, value: Json][] }
  | { kind: "array"; items: Json[] }
  | { kind: "string"; text: string }
  | { kind: "number"; text: string }
  | { kind: "word"; text: "true" | "false" | "null" }
  | { kind: "cut" };

export type Parsed = { root: Json; complete: boolean };

const MAX_DEPTH = 64;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids them raw
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const PARTIAL = /"(?:[^"\\]|\\.)*/y;
const SPACE = /[ \t\n\r]*/y;
const WORDS = ["true", "false", "null"] as const;

class Reader {
  readonly source: string;
  at = 0;
  complete = true;

  constructor(source: string) {
    this.source = source;
  }

  match(pattern: RegExp): string | null {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.source);
    if (!found) return null;
    this.at = pattern.lastIndex;
    return found[0];
  }

  take(character: string): boolean {
    this.match(SPACE);
    if (this.source[this.at] !== character) return false;
    this.at += 1;
    return true;
  }

  cut(): Json {
    this.complete = false;
    this.at = this.source.length;
    return { kind: "cut" };
  }
}

function readString(reader: Reader): string | null {
  const whole = reader.match(STRING);
  if (whole !== null) return JSON.parse(whole) as string;
  const part = reader.match(PARTIAL);
  if (part === null) return null;
  reader.cut();
  return part.slice(1);
}

function readObject(reader: Reader, depth: number): Json {
  const entries: [string, Json][] = [];
  if (reader.take("}")) return { kind: "object", entries };
  do {
    reader.match(SPACE);
    const key = readString(reader);
    if (key === null || !reader.take(":")) {
      if (key !== null) entries.push([key, { kind: "cut" }]);
      reader.cut();
      break;
    }
    entries.push([key, readValue(reader, depth + 1)]);
  } while (reader.take(","));
  if (reader.complete && !reader.take("}")) reader.cut();
  return { kind: "object", entries };
}

function readArray(reader: Reader, depth: number): Json {
  const items: Json[] = [];
  if (reader.take("]")) return { kind: "array", items };
  do items.push(readValue(reader, depth + 1));
  while (reader.take(","));
  if (reader.complete && !reader.take("]")) reader.cut();
  return { kind: "array", items };
}

function readValue(reader: Reader, depth: number): Json {
  reader.match(SPACE);
  if (depth > MAX_DEPTH) return reader.cut();
  if (reader.take("{")) return readObject(reader, depth);
  if (reader.take("[")) return readArray(reader, depth);
  if (reader.source[reader.at] === '"') return { kind: "string", text: readString(reader) ?? "" };
  const word = WORDS.find((candidate) => reader.source.startsWith(candidate, reader.at));
  if (word) {
    reader.at += word.length;
    return { kind: "word", text: word };
  }
  const number = reader.match(NUMBER);
  return number === null ? reader.cut() : { kind: "number", text: number };
}

/** Read as much of `source` as is JSON; a text cut in the middle gives its head and `complete: false`. */
export function readJson(source: string): Parsed {
  const reader = new Reader(source);
  const root = readValue(reader, 0);
  reader.match(SPACE);
  return { root, complete: reader.complete && reader.at === source.length };
}

/** One line of a value, for summaries; strings keep their quotes. */
export function oneLine(node: Json, limit = 120): string {
  const whole = lineOf(node, 3);
  return whole.length > limit ? `${whole.slice(0, limit)}…` : whole;
}

function lineOf(node: Json, depth: number): string {
  if (node.kind === "cut") return "…";
  if (node.kind === "string") return JSON.stringify(node.text);
  if (node.kind === "number" || node.kind === "word") return node.text;
  if (depth === 0) return node.kind === "array" ? "[…]" : "{…}";
  if (node.kind === "array") {
    return `[${node.items
      .slice(0, 20)
      .map((item) => lineOf(item, depth - 1))
      .join(", ")}]`;
  }
  const inner = node.entries
    .slice(0, 20)
    .map(([key, value]) => `${key}: ${lineOf(value, depth - 1)}`);
  return `{${inner.join(", ")}}`;
}
