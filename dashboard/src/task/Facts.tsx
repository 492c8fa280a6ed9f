/** Where the task ran and whom it belongs to; every value that names a set is a link to it. */
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { TaskDetail, TaskLink } from "../api/types";
import { only } from "../query/edit";
import { useUrl } from "../shell/search";
import { plain } from "../ui/escape";
import { DASH, shortId } from "../ui/format";
import { StateIcon } from "../ui/StateIcon";
import { Text } from "../ui/Text";
import { Time } from "../ui/Time";
import css from "./task.module.css";

type Props = { project: string; task: TaskDetail };

export function RelatedTask({ project, link }: { project: string; link: TaskLink }) {
  return (
    <Link
      to="/p/$project/t/$ref"
      params={{ project, ref: link.ref }}
      search={{}}
      className={css.related}
    >
      <StateIcon state={link.state} />
      <Text value={link.task} limit={120} />
      <code>
        <Text value={shortId(link.id)} />
      </code>
    </Link>
  );
}

function Filter({ project, name, value }: { project: string; name: string; value: string }) {
  const { range } = useUrl();
  return (
    <Link
      to="/p/$project/tasks"
      params={{ project }}
      search={{ q: only("", name, value), range }}
      title={`tasks with ${name}:${plain(value)}`}
    >
      <Text value={value} limit={256} />
    </Link>
  );
}

function Fact({ label, children }: { label: string; children: ReactNode }) {
  return (
    <>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </>
  );
}

function Filtered({ project, task }: Props) {
  const known: [string, string | null][] = [
    ["queue", task.queue],
    ["worker", task.worker],
    ["host", task.host],
    ["engine", task.engine],
    ["release", task.release],
    ["root", task.root === task.id ? null : task.root],
  ];
  return known.map(([name, value]) =>
    value ? (
      <Fact key={name} label={name}>
        <Filter project={project} name={name} value={value} />
      </Fact>
    ) : null,
  );
}

function Instants({ task }: { task: TaskDetail }) {
  const known: [string, number | null][] = [
    ["enqueued", task.enqueued_at],
    ["due", task.eta_at],
    ["started", task.started_at],
    ["finished", task.finished_at],
  ];
  return known.map(([label, at]) =>
    at === null ? null : (
      <Fact key={label} label={label}>
        <Time at={at} form="distance" />
      </Fact>
    ),
  );
}

export function Facts({ project, task }: Props) {
  return (
    <section className={css.section}>
      <h2>facts</h2>
      <dl className={css.facts}>
        <Filtered project={project} task={task} />
        <Instants task={task} />
        {task.priority !== null && <Fact label="priority">{task.priority}</Fact>}
        {Object.entries(task.tags).map(([name, value]) => (
          <Fact key={name} label={`tag ${name}`}>
            <Text value={value} />
          </Fact>
        ))}
        {task.retry_of && (
          <Fact label="retry of">
            <RelatedTask project={project} link={task.retry_of} />
          </Fact>
        )}
        {task.retried_as.map((link) => (
          <Fact key={link.ref} label="retried as">
            <RelatedTask project={project} link={link} />
          </Fact>
        ))}
        {task.parent && (
          <Fact label="parent">
            <RelatedTask project={project} link={task.parent} />
          </Fact>
        )}
        {task.facts.map((fact, at) => (
          <Fact key={at} label={fact.label}>
            {fact.value ? <Text value={fact.value} limit={2000} /> : DASH}
          </Fact>
        ))}
      </dl>
    </section>
  );
}
