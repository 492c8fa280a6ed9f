/** Changes to a query by click. The rule: only the named term is touched, the rest keeps its characters. */
import { quote, type Term, terms } from "./tokenizer";

function plainTerm(q: string, key: string): Term | undefined {
  return terms(q).find((term) => term.key === key && !term.negated && term.depth === 0);
}

function tidy(q: string): string {
  return q.replace(/\s{2,}/g, " ").trim();
}

function replace(q: string, term: Term, text: string): string {
  return tidy(q.slice(0, term.from) + text + q.slice(term.to));
}

export function selected(q: string, key: string): string[] {
  return plainTerm(q, key)?.values ?? [];
}

/** Add or remove one value of `key`; several values of a key mean any of them. */
export function toggle(q: string, key: string, value: string): string {
  const term = plainTerm(q, key);
  if (!term) return tidy(`${q} ${key}:${quote(value)}`);
  const rest = term.values.filter((other) => other !== value);
  const values = rest.length === term.values.length ? [...rest, value] : rest;
  if (values.length === 0) return replace(q, term, "");
  return replace(q, term, `${key}:${values.map(quote).join(",")}`);
}

/** Make `key` mean exactly `value`. */
export function only(q: string, key: string, value: string): string {
  const term = plainTerm(q, key);
  const text = `${key}:${quote(value)}`;
  return term ? replace(q, term, text) : tidy(`${q} ${text}`);
}

export function exclude(q: string, key: string, value: string): string {
  return tidy(`${q} -${key}:${quote(value)}`);
}

/** The query without its nth `key:value` term. */
export function without(q: string, term: Term): string {
  const before = q.slice(0, term.from).replace(/(?:-|NOT\s+)$/, "");
  return tidy(before + q.slice(term.to));
}
