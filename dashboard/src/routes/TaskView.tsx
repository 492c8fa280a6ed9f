/** Everything about one task; the pane and the page show the same. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useCallback } from "react";
import { flow, task as taskQuery } from "../api/queries";
import type { RowsEvent, TaskDetail } from "../api/types";
import { FlowGraph } from "../charts/FlowGraph";
import { Waterfall } from "../charts/Waterfall";
import { useLive } from "../live/context";
import { Args, Value } from "../task/Args";
import { ErrorTrace } from "../task/ErrorTrace";
import { Facts } from "../task/Facts";
import { TaskActions } from "../task/TaskActions";
import { TaskHead } from "../task/TaskHead";
import css from "../task/task.module.css";
import { Part } from "../ui/Part";
import { ErrorView, Skeleton } from "../ui/parts";

type Props = { project: string; refId: string; isPane: boolean };

/** The stream's `task` event replaces the detail; a row patch that ends the task asks for it once. */
function useLiveTask(project: string, refId: string): void {
  const client = useQueryClient();
  const { queryKey } = taskQuery(project, refId);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key is made of project and ref
  const replace = useCallback(
    (data: unknown) => {
      const next = data as TaskDetail;
      if (next.ref === refId) client.setQueryData(queryKey, next);
    },
    [client, project, refId],
  );
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key is made of project and ref
  const patch = useCallback(
    (data: unknown) => {
      const mine = (data as RowsEvent).up.find(([ref]) => ref === refId);
      const old = client.getQueryData<TaskDetail>(queryKey);
      const state = mine?.[2].state;
      if (mine && old && mine[1] > old.v && state && state !== old.state) {
        void client.invalidateQueries({ queryKey });
      }
    },
    [client, project, refId],
  );
  useLive("task", replace);
  useLive("rows", patch);
}

function FlowSection({ project, task }: { project: string; task: TaskDetail }) {
  const navigate = useNavigate();
  const isOfGroup = task.facts.some((fact) => fact.label === "group");
  const hasFamily = task.children.length > 0 || task.parent !== null || isOfGroup;
  const { data } = useQuery({ ...flow(project, task.ref), enabled: hasFamily });
  if (!hasFamily || !data || data.nodes.length < 2) return null;
  return (
    <section className={css.section}>
      <h2>
        flow{" "}
        {data.truncated && <span className={css.note}>the nearest {data.nodes.length} tasks</span>}
      </h2>
      <FlowGraph
        flow={data}
        here={task.ref}
        onOpen={(ref) =>
          void navigate({ to: "/p/$project/t/$ref", params: { project, ref }, search: {} })
        }
      />
    </section>
  );
}

function Sections({ project, task }: { project: string; task: TaskDetail }) {
  return (
    <>
      {task.error && (
        <Part name="error">
          <ErrorTrace error={task.error} />
        </Part>
      )}
      <Part name="arguments">
        <Args args={task.args} kwargs={task.kwargs} params={task.params} />
      </Part>
      {task.attempts.length > 0 && (
        <Part name="attempts">
          <section className={css.section}>
            <h2>attempts</h2>
            <Waterfall attempts={task.attempts} />
          </section>
        </Part>
      )}
      <Part name="flow">
        <FlowSection project={project} task={task} />
      </Part>
      {task.result && (
        <Part name="result">
          <section className={css.section}>
            <h2>result</h2>
            <Value preview={task.result} />
          </section>
        </Part>
      )}
    </>
  );
}

export function TaskView({ project, refId, isPane }: Props) {
  const { data: task, error } = useQuery(taskQuery(project, refId));
  useLiveTask(project, refId);
  if (error && !task) return <ErrorView error={error} />;
  if (!task) return <Skeleton rows={14} />;
  return (
    <div key={task.ref} className={css.view} data-pane={isPane || undefined} data-testid="task">
      <div className={css.top}>
        <Part name="head">
          <TaskHead project={project} task={task} isPane={isPane} />
          <TaskActions task={task} />
        </Part>
      </div>
      <div className={css.body}>
        <div className={css.columnMain}>
          <Sections project={project} task={task} />
        </div>
        <div className={css.columnSide}>
          <Part name="facts">
            <Facts project={project} task={task} />
          </Part>
        </div>
      </div>
    </div>
  );
}
