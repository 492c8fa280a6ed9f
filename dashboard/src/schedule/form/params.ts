/** Arguments by the names of a signature. The rule: what the form cannot show without changing it stays JSON. */
import type { Param } from "../../api/types";
import { readJson } from "../../ui/json";
import { jsonText, objectOf } from "../jsonText";

/** inspect's numbers. */
const KIND = { positionalOnly: 0, either: 1, varPositional: 2, keywordOnly: 3, varKeyword: 4 };

export type Slots = { values: Map<string, string>; positional: number };

const kindOf = (param: Param) => Number(param.kind);
const isNamed = (param: Param) =>
  kindOf(param) !== KIND.varPositional && kindOf(param) !== KIND.varKeyword;

export function namedParams(params: Param[]): Param[] {
  return params.filter(isNamed);
}

export function isText(param: Param): boolean {
  return /^(str|'str'|"str"|str \| None|Optional\[str\])$/.test(param.annotation ?? "");
}

/** Arguments per parameter as JSON texts, or null where they do not fit the signature. */
export function slotsOf(args: string, kwargs: string, params: Param[]): Slots | null {
  const list = readJson(args);
  const named = readJson(kwargs);
  if (!list.complete || list.root.kind !== "array") return null;
  if (!named.complete || named.root.kind !== "object") return null;
  const places = params.filter(
    (param) => kindOf(param) === KIND.positionalOnly || kindOf(param) === KIND.either,
  );
  if (list.root.items.length > places.length) return null;
  const values = new Map<string, string>();
  for (const [at, item] of list.root.items.entries()) {
    values.set(places[at]?.name ?? "", jsonText(item));
  }
  const known = new Set(namedParams(params).map((param) => param.name));
  for (const [name, value] of named.root.entries) {
    if (!known.has(name) || values.has(name)) return null;
    values.set(name, jsonText(value));
  }
  return { values, positional: list.root.items.length };
}

/** Back to args and kwargs: what came by place goes by place, the rest by name. */
export function joined(slots: Slots, params: Param[]): { args: string; kwargs: string } {
  const args: string[] = [];
  const kwargs: [string, string][] = [];
  let byPlace = true;
  for (const param of namedParams(params)) {
    const value = slots.values.get(param.name);
    const mustBePlace = kindOf(param) === KIND.positionalOnly;
    if (value === undefined) byPlace = false;
    else if (byPlace && (mustBePlace || args.length < slots.positional)) args.push(value);
    else kwargs.push([param.name, value]);
  }
  return { args: `[${args.join(", ")}]`, kwargs: objectOf(kwargs) };
}

/** What a field holds, as JSON: words that are no JSON are a text. */
export function valueFrom(typed: string, param: Param): string | undefined {
  if (isText(param)) return typed === "" ? undefined : JSON.stringify(typed);
  if (typed.trim() === "") return undefined;
  return readJson(typed).complete ? typed.trim() : JSON.stringify(typed);
}

/** How a JSON text is shown in its field. */
export function typedOf(value: string | undefined, param: Param): string {
  if (value === undefined) return "";
  const { root } = readJson(value);
  return root.kind === "string" && (isText(param) || !readJson(root.text).complete)
    ? root.text
    : value;
}

/** Required parameters without a value. */
export function missingParams(slots: Slots, params: Param[]): string[] {
  return namedParams(params)
    .filter((param) => !param.has_default && !slots.values.has(param.name))
    .map((param) => param.name);
}
