/** Every queue with its pressure. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback } from "react";
import { queues } from "../api/queries";
import { useLive, useView } from "../live/context";
import { useProject, useUrl } from "../shell/search";
import { plural } from "../ui/format";
import { Empty, ErrorView, Skeleton } from "../ui/parts";
import css from "./page.module.css";
import { QueueTable } from "./QueueTable";

export function useLiveQueues(project: string): void {
  const { range } = useUrl();
  const client = useQueryClient();
  useView({ project, view: "queues", q: "", range });
  useLive(
    "queues",
    useCallback((data) => client.setQueryData([project, "/queues", {}], data), [client, project]),
  );
}

export function QueuesPage() {
  const project = useProject();
  useLiveQueues(project);
  const { data, error } = useQuery(queues(project));
  if (error && !data) return <ErrorView error={error} />;
  if (!data) return <Skeleton />;
  if (data.items.length === 0)
    return (
      <Empty title="No queue has been seen yet">
        A worker reports its queues when it connects.
      </Empty>
    );
  return (
    <div className={css.page}>
      <header className={css.head}>
        <h1>Queues</h1>
        <span>{plural(data.items.length, "queue")}</span>
      </header>
      <QueueTable project={project} queues={data.items} />
    </div>
  );
}
