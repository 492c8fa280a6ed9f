/** A worker's state as a word with its tone. */
import type { WorkerState as State, Worker } from "../api/types";
import { useNow } from "../ui/clock";
import { plain } from "../ui/escape";
import { duration } from "../ui/format";
import { Tag } from "../ui/parts";
import css from "./page.module.css";

const TONE: Record<State, "good" | "warn" | "bad"> = {
  online: "good",
  stalled: "warn",
  not_answering: "warn",
  draining: "warn",
  offline: "bad",
  died: "bad",
};

const WORDS: Record<State, string> = {
  online: "online",
  stalled: "stalled",
  not_answering: "not answering",
  draining: "draining",
  offline: "offline",
  died: "died",
};

const HINT: Partial<Record<State, string>> = {
  stalled: "its agent is heard but its event loop is late by more than 5 s",
  not_answering: "its agent is heard, the engine does not answer",
};

export function WorkerState({ state }: { state: State }) {
  return (
    <span title={HINT[state]}>
      <Tag tone={TONE[state]}>{WORDS[state] ?? state}</Tag>
    </span>
  );
}

const WARM_MS = 2000;
const HOT_MS = 30_000;

/** One cell per slot, shaded by the age of the task in it. */
export function Slots({ worker }: { worker: Worker }) {
  const nowMs = useNow();
  const total = Math.min(
    64,
    Math.max(worker.slots ?? worker.running.length, worker.running.length),
  );
  return (
    <span className={css.cells} role="img" aria-label={`${worker.running.length} of ${total} busy`}>
      {Array.from({ length: total }, (_, at) => {
        const task = worker.running[at];
        const ageMs = task?.started_at ? nowMs - task.started_at : 0;
        const heat = task ? (ageMs > HOT_MS ? 2 : ageMs > WARM_MS ? 1 : 0) : undefined;
        const title = task ? `${plain(task.task)} for ${duration(ageMs * 1000)}` : "free";
        return <span key={at} className={css.cell} data-heat={heat} title={title} />;
      })}
    </span>
  );
}
