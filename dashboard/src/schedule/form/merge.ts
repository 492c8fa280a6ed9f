/** Two people edited at once. The rule: what only one of them changed is kept, the rest is chosen field by field. */
import { sameJson } from "../jsonText";
import { changedFields, type Draft, JSON_FIELDS } from "./draft";

export type Side = "yours" | "theirs";
export type Clash = { field: keyof Draft; base: string; yours: string; theirs: string };

function shown(draft: Draft, field: keyof Draft): string {
  const value = draft[field];
  if ((JSON_FIELDS as string[]).includes(field)) return String(value);
  return typeof value === "string" ? value : JSON.stringify(value, null, 1);
}

/** Fields that both changed, each to something else. */
export function clashes(base: Draft, yours: Draft, theirs: Draft): Clash[] {
  const mine = changedFields(base, yours);
  const other = new Set(changedFields(base, theirs));
  return mine.flatMap((field) => {
    const clash = {
      field,
      base: shown(base, field),
      yours: shown(yours, field),
      theirs: shown(theirs, field),
    };
    return other.has(field) && !sameJson(clash.yours, clash.theirs) ? [clash] : [];
  });
}

/** Theirs, with what you alone changed and what you chose; fields not chosen stay theirs. */
export function merged(
  base: Draft,
  yours: Draft,
  theirs: Draft,
  chosen: Partial<Record<keyof Draft, Side>>,
): Draft {
  const result: Record<string, unknown> = { ...theirs };
  const open = new Set(clashes(base, yours, theirs).map((clash) => clash.field));
  for (const field of changedFields(base, yours)) {
    if (!open.has(field) || chosen[field] === "yours") result[field] = yours[field];
  }
  return result as unknown as Draft;
}
