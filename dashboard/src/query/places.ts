/** Which list the bar searches. The rule: a list page is searched in place, from elsewhere the bar leads to the tasks. */
import type { Completion } from "../api/types";
import { KEYS } from "./tokenizer";

export type Searched = {
  name: "tasks" | "schedules" | "fires";
  keys: readonly string[];
  hint: string;
};

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
const FIRES: Searched = {
  name: "fires",
  keys: "schedule engine app task status trigger state by lag reason fire is".split(" "),
  hint: "Search fires: is:missed schedule:nightly* by:ana lag:>5s …",
};
const VALUES: Record<string, string[]> = {
  "schedules is": "paused enabled disabled failing declared silent".split(" "),
  "fires is": "late failed missed ordered waiting".split(" "),
  "fires status":
    "claimed buffered sent skipped missed expired refused failed duplicate_suppressed".split(" "),
  "fires trigger": "timer manual catchup backfill replay on_start".split(" "),
  "fires state": "queued running retrying succeeded failed lost cancelled expired".split(" "),
};

/** The list that a path shows, or null where it shows none. */
export function listAt(path: string): Searched | null {
  if (/^\/p\/[^/]+\/tasks\/?$/.test(path)) return TASKS;
  if (/^\/p\/[^/]+\/schedules\/fires\/?$/.test(path)) return FIRES;
  return /^\/p\/[^/]+\/schedules\/?$/.test(path) ? SCHEDULES : null;
}

export const ELSEWHERE = TASKS;

/** Keys, and values where they are few, that begin with the word at the cursor. */
export function wordsAt(list: Searched, q: string, pos: number) {
  const word = /[^\s"()]*$/.exec(q.slice(0, pos))?.[0] ?? "";
  const from = pos - word.length;
  const values = VALUES[`${list.name} ${word.split(":")[0]}`];
  const texts =
    word.includes(":") && values
      ? values.map((one) => `${word.split(":")[0]}:${one}`)
      : list.keys.map((one) => `${one}:`);
  const items: Completion[] = texts
    .filter((text) => text.startsWith(word) && text !== word)
    .map((text) => ({ text, kind: text.endsWith(":") ? "key" : "value", count: null, hint: "" }));
  return { from, to: pos, items };
}
