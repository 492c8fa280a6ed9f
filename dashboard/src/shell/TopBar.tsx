/** Project, query bar, range, live pill, user. */
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { lazy, Suspense, useState } from "react";
import { me } from "../api/queries";
import { QueryBar } from "../query/QueryBar";
import { plain } from "../ui/escape";
import { Icon } from "../ui/Icon";
import { LivePill } from "./LivePill";
import { RangePicker } from "./RangePicker";
import { useProject } from "./search";
import css from "./shell.module.css";

const UserMenu = lazy(() => import("./UserMenu").then((module) => ({ default: module.UserMenu })));

function ProjectSwitch() {
  const project = useProject();
  const navigate = useNavigate();
  const { data } = useQuery(me());
  const projects = data?.projects ?? [];
  const name = projects.find((one) => one.slug === project)?.name ?? project;
  if (projects.length < 2) return <span className={css.project}>{plain(name)}</span>;
  return (
    <select
      className={css.project}
      aria-label="project"
      value={project}
      onChange={(event) =>
        void navigate({ to: "/p/$project", params: { project: event.target.value }, search: {} })
      }
    >
      {projects.map((one) => (
        <option key={one.slug} value={one.slug}>
          {plain(one.name)}
        </option>
      ))}
    </select>
  );
}

function User() {
  const [isOpen, setOpen] = useState(false);
  const button = (
    <button type="button" className={css.user} aria-label="user menu" onClick={() => setOpen(true)}>
      <Icon name="user" size={18} />
    </button>
  );
  if (!isOpen) return button;
  return (
    <Suspense fallback={button}>
      <UserMenu onClose={() => setOpen(false)} />
    </Suspense>
  );
}

export function TopBar() {
  const project = useProject();
  return (
    <header className={css.top}>
      <Link
        to="/p/$project"
        params={{ project }}
        search={{}}
        className={css.logo}
        aria-label="z4j, Now"
      >
        <svg width="22" height="22" viewBox="0 0 32 32" fill="none" aria-hidden="true">
          <rect width="32" height="32" rx="7" fill="#0b62c9" />
          <path
            d="M8 9h16L11 23h13"
            stroke="#fff"
            strokeWidth="3.4"
            strokeLinejoin="round"
            strokeLinecap="round"
          />
        </svg>
      </Link>
      <ProjectSwitch />
      <div className={css.centre}>
        <QueryBar />
      </div>
      <RangePicker />
      <LivePill />
      <User />
    </header>
  );
}
