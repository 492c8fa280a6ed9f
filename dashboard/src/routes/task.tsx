/** The page of one task. */
import { useParams } from "@tanstack/react-router";
import { useView } from "../live/context";
import { useProject, useUrl } from "../shell/search";
import { TaskView } from "./TaskView";

export function TaskPage() {
  const project = useProject();
  const { ref = "" } = useParams({ strict: false });
  const { range } = useUrl();
  useView({ project, view: "task", q: "", range, ref });
  return <TaskView key={ref} project={project} refId={ref} isPane={false} />;
}
