/** The heading of every page about schedules, and the way to the others. */
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useView } from "../live/context";
import css from "../routes/page.module.css";
import { useUrl } from "../shell/search";
import own from "./places.module.css";

const PAGES = [
  { label: "List", to: "/p/$project/schedules", tab: "" },
  { label: "Week", to: "/p/$project/schedules", tab: "week" },
  { label: "Fires", to: "/p/$project/schedules/fires", tab: "" },
  { label: "Calendars", to: "/p/$project/schedules/calendars", tab: "" },
  { label: "Leaders", to: "/p/$project/schedules/leaders", tab: "" },
  { label: "Drift", to: "/p/$project/schedules/drift", tab: "" },
] as const;

/** Keeps the page live: the bar above says how old what it shows is. */
function Pulse({ project, q }: { project: string; q: string }) {
  const { range } = useUrl();
  useView({ project, view: "schedules", q, range });
  return null;
}

type Props = {
  project: string;
  here: (typeof PAGES)[number]["label"];
  /** The query that list and week share. */
  q?: string;
  children?: ReactNode;
};

export function Head({ project, here, q, children }: Props) {
  return (
    <header className={css.head}>
      <h1>Schedules</h1>
      <nav className={own.places} aria-label="pages of schedules">
        {PAGES.map(({ label, to, tab }) => (
          <Link
            key={label}
            to={to}
            params={{ project }}
            search={{ ...(tab ? { tab } : {}), ...(q && to.endsWith("/schedules") ? { q } : {}) }}
            className={own.place}
            aria-current={label === here ? "page" : undefined}
            activeOptions={{ exact: true, includeSearch: true }}
          >
            {label}
          </Link>
        ))}
      </nav>
      {children}
      {here !== "List" && <Pulse project={project} q={q ?? ""} />}
    </header>
  );
}
