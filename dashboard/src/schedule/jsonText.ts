/** JSON as text from end to end. The rule: arguments are never parsed into JS numbers, so that no digit is lost. */
import { type Json, readJson } from "../ui/json";

/** A tree as compact JSON text, digits and order kept. */
export function jsonText(node: Json): string {
  switch (node.kind) {
    case "string":
      return JSON.stringify(node.text);
    case "number":
    case "word":
      return node.text;
    case "array":
      return `[${node.items.map(jsonText).join(", ")}]`;
    case "object":
      return `{${node.entries.map(([key, value]) => `${JSON.stringify(key)}: ${jsonText(value)}`).join(", ")}}`;
    case "cut":
      return "null";
  }
}

/** The members of a JSON object as texts; empty where the text is no object. */
export function membersOf(text: string): Map<string, string> {
  const { root, complete } = readJson(text);
  if (!complete || root.kind !== "object") return new Map();
  return new Map(root.entries.map(([key, value]) => [key, jsonText(value)]));
}

/** An object from members that are JSON texts already. */
export function objectOf(members: Iterable<[name: string, text: string]>): string {
  const parts = [...members].map(([name, text]) => `${JSON.stringify(name)}: ${text}`);
  return `{${parts.join(", ")}}`;
}

/** Same value, whatever the spaces. */
export function sameJson(a: string, b: string): boolean {
  return a === b || tidy(a) === tidy(b);
}

export function tidy(text: string): string {
  const { root, complete } = readJson(text);
  return complete ? jsonText(root) : text;
}

/** Why a text is not the JSON that is wanted, or null. */
export function faultOf(text: string, kind: "array" | "object"): string | null {
  const { root, complete } = readJson(text);
  if (!complete) return "not valid JSON";
  return root.kind === kind ? null : `must be a JSON ${kind}`;
}
