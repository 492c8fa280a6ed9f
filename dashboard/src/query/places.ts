/** Which list the bar searches. The rule: a list page is searched in place, from elsewhere the bar leads to the tasks. */
import type { Completion } from "../api/types";
import { KEYS } from "./tokenizer";

export type Searched = { name: "tasks" | "schedules"; keys: readonly string[]; hint: string };

const TASKS: Searched = {
  name: "tasks",
  keys: KEYS,
  hint: "Search tasks: state:failed queue:mail took:>2s arg.order_id:911 …",
};
const SCHEDULES: Searched = {
  name: "schedules",
  keys: "name engine app task queue tag owner id is".split(" "),
  hint: "Search schedules: nightly is:paused task:shop.* …",
};
const STANDING = ["paused", "enabled", "disabled", "failing", "declared", "silent"];

/** The list that a path shows, or null where it shows none. */
export function listAt(path: string): Searched | null {
  if (/^\/p\/[^/]+\/tasks\/?$/.test(path)) return TASKS;
  return /^\/p\/[^/]+\/schedules\/?$/.test(path) ? SCHEDULES : null;
}

export const ELSEWHERE = TASKS;

/** Keys and standings of schedules that begin with the word at the cursor. */
export function scheduleWords(q: string, pos: number) {
  const word = /[^\s"()]*$/.exec(q.slice(0, pos))?.[0] ?? "";
  const from = pos - word.length;
  const texts = word.startsWith("is:")
    ? STANDING.map((one) => `is:${one}`)
    : SCHEDULES.keys.map((one) => `${one}:`);
  const items: Completion[] = texts
    .filter((text) => text.startsWith(word) && text !== word)
    .map((text) => ({ text, kind: text.endsWith(":") ? "key" : "value", count: null, hint: "" }));
  return { from, to: pos, items };
}
