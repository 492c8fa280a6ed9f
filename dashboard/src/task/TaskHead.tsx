/** State, definition and what happened, in one sentence. */
import { Link } from "@tanstack/react-router";
import type { TaskDetail } from "../api/types";
import { duration, shortId } from "../ui/format";
import { Copy } from "../ui/parts";
import { StateIcon } from "../ui/StateIcon";
import { Text } from "../ui/Text";
import { Time } from "../ui/Time";
import css from "./task.module.css";

type Props = { project: string; task: TaskDetail; isPane: boolean };

function Story({ task }: { task: TaskDetail }) {
  const attempts =
    task.max_attempts === null
      ? `attempt ${task.attempt}`
      : `attempt ${task.attempt} of ${task.max_attempts}`;
  const isDone = task.finished_at !== null;
  const at = task.finished_at ?? task.started_at ?? task.eta_at ?? task.enqueued_at;
  return (
    <p>
      {task.attempt > 0 && <>{attempts} · </>}
      {isDone || !["running", "scheduled"].includes(task.state)
        ? task.state
        : task.state === "running"
          ? "started"
          : "due"}{" "}
      <Time at={at} form="distance" />
      {task.took_us !== null && <> after {duration(task.took_us)}</>}
      {task.wait_us !== null && <> · waited {duration(task.wait_us)}</>}
    </p>
  );
}

export function TaskHead({ project, task, isPane }: Props) {
  const { engine, name, known } = task.definition;
  return (
    <header className={css.head} data-pane={isPane || undefined}>
      <div className={css.title}>
        <StateIcon state={task.state} label />
        <h1>
          {known ? (
            <Link
              to="/p/$project/catalog/$engine/$name"
              params={{ project, engine, name }}
              search={{}}
            >
              <Text value={task.task} limit={256} />
            </Link>
          ) : (
            <Text value={task.task} limit={256} />
          )}
        </h1>
      </div>
      <div className={css.ids}>
        <code title={task.id}>
          <Text value={isPane ? shortId(task.id) : task.id} limit={256} />
        </code>
        <Copy text={task.id} label="task id" />
        <Story task={task} />
      </div>
      {task.evidence && (
        <p className={css.evidence}>
          <Text value={task.evidence} />
        </p>
      )}
    </header>
  );
}
