/** A number that is a link to the list that counts the same. */
import { Link } from "@tanstack/react-router";
import type { Num } from "../api/types";
import { useProject, useUrl } from "../shell/search";
import { num } from "./format";

export function Count({ n, label, className }: { n: Num; label?: string; className?: string }) {
  const project = useProject();
  const { range } = useUrl();
  if (n.q === null) return <span className={className}>{num(n)}</span>;
  const search = { q: n.q || undefined, range: range === "1h" ? undefined : range };
  return (
    <Link
      to="/p/$project/tasks"
      params={{ project }}
      search={search}
      className={className}
      title={n.q || "all tasks"}
    >
      {label ? (
        <>
          <b>{num(n)}</b> {label}
        </>
      ) : (
        num(n)
      )}
    </Link>
  );
}
