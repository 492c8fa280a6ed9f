/** Outside a project: the list of projects, or straight into the only one. */
import { useQuery } from "@tanstack/react-query";
import { Link, Navigate } from "@tanstack/react-router";
import { me } from "../api/queries";
import { Empty, ErrorView } from "../ui/parts";
import { Text } from "../ui/Text";
import css from "./shell.module.css";

export function Home() {
  const { data, error } = useQuery(me());
  if (error) return <ErrorView error={error} />;
  if (!data) return null;
  const first = data.projects[0];
  if (!first)
    return <Empty title="No project is open to you">Ask an admin for an invitation.</Empty>;
  if (data.projects.length === 1) {
    return <Navigate to="/p/$project" params={{ project: first.slug }} replace />;
  }
  return (
    <main className={css.home}>
      <h1>Projects</h1>
      {data.projects.map((project) => (
        <Link
          key={project.slug}
          to="/p/$project"
          params={{ project: project.slug }}
          className={css.homeRow}
        >
          <Text value={project.name} />
          <span>{project.role}</span>
        </Link>
      ))}
    </main>
  );
}
