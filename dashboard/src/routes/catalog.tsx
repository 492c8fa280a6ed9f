/** Every registered or seen definition, with its rates. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { definitions } from "../api/queries";
import type { Definition } from "../api/types";
import { usePace, useView } from "../live/context";
import { useProject, useUrl } from "../shell/search";
import { Count } from "../ui/Count";
import { duration, percent, plural } from "../ui/format";
import { Empty, ErrorView, Skeleton, Tag } from "../ui/parts";
import { Text } from "../ui/Text";
import { Time } from "../ui/Time";
import css from "./page.module.css";

type Key = "name" | "count" | "fail_pct" | "p50_us" | "p95_us" | "p99_us" | "last_failure_at";

function cellValue(row: Definition, key: Key): number | string {
  if (key === "name") return row.name;
  if (key === "count") return row.count.value;
  return row[key] ?? -1;
}

function sorted(rows: Definition[], key: Key): Definition[] {
  const sign = key === "name" ? 1 : -1;
  return [...rows].sort((a, b) => (cellValue(a, key) < cellValue(b, key) ? -sign : sign));
}

export function Finding({ row }: { row: Definition }) {
  if (!row.live) return <Tag tone="warn">on no live worker</Tag>;
  if (row.count.value === 0) return <Tag>not seen in this range</Tag>;
  return null;
}

function Row({ project, row }: { project: string; row: Definition }) {
  return (
    <tr>
      <td>
        <Link
          to="/p/$project/catalog/$engine/$name"
          params={{ project, engine: row.engine, name: row.name }}
          search={{}}
          className={css.name}
        >
          <Text value={row.name} limit={256} />
        </Link>{" "}
        <Finding row={row} />
      </td>
      <td className={`${css.muted} ${css.wide}`}>{row.engine}</td>
      <td className={`${css.muted} ${css.wide}`}>
        <Text value={row.queue} limit={120} />
      </td>
      <td className={css.end}>
        <Count n={row.count} />
      </td>
      <td className={`${css.end} ${row.failed.value > 0 ? css.bad : css.muted}`}>
        <Count n={row.failed} />
      </td>
      <td className={css.end}>{percent(row.fail_pct)}</td>
      <td className={`${css.end} ${css.wide}`}>{duration(row.p50_us)}</td>
      <td className={css.end}>{duration(row.p95_us)}</td>
      <td className={`${css.end} ${css.wide}`}>{duration(row.p99_us)}</td>
      <td className={`${css.end} ${css.muted} ${css.wide}`}>
        <Time at={row.last_failure_at} form="distance" />
      </td>
      <td className={`${css.end} ${css.muted} ${css.wide}`}>{row.workers}</td>
    </tr>
  );
}

const HEADS: [label: string, key: Key | null, wide: boolean][] = [
  ["engine", null, true],
  ["queue", null, true],
  ["count", "count", false],
  ["failed", null, false],
  ["fail", "fail_pct", false],
  ["p50", "p50_us", true],
  ["p95", "p95_us", false],
  ["p99", "p99_us", true],
  ["last failure", "last_failure_at", true],
  ["workers", null, true],
];

export function CatalogPage() {
  const project = useProject();
  const { range, sort, set } = useUrl();
  const [typed, setTyped] = useState("");
  useView({ project, view: "now", q: "", range });
  const { data, error } = useQuery({
    ...definitions(project, "", range),
    refetchInterval: usePace(60_000),
  });
  const key = (HEADS.find(([, one]) => one === sort.replace("-", ""))?.[1] ??
    (sort === "name" ? "name" : "count")) as Key;
  const rows = useMemo(
    () =>
      sorted(
        (data?.items ?? []).filter((row) => row.name.toLowerCase().includes(typed.toLowerCase())),
        key,
      ),
    [data, typed, key],
  );
  if (error && !data) return <ErrorView error={error} />;
  if (!data) return <Skeleton />;
  if (data.items.length === 0)
    return (
      <Empty title="No definition is known yet">
        A worker reports its definitions when it connects.
      </Empty>
    );
  return (
    <div className={css.page}>
      <header className={css.head}>
        <h1>Catalog</h1>
        <span>{plural(data.items.length, "definition")}</span>
        <span className={css.gap} />
        <input
          className={css.input}
          placeholder="Filter by name"
          aria-label="filter by name"
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
        />
      </header>
      <div className={css.wrap}>
        <table className={css.table}>
          <thead>
            <tr>
              <th aria-sort={key === "name" ? "ascending" : undefined}>
                <button type="button" onClick={() => set({ sort: "name" })}>
                  definition
                </button>
              </th>
              {HEADS.map(([label, one, isWide]) => (
                <th
                  key={label}
                  className={`${isWide ? css.wide : ""} ${label === "engine" || label === "queue" ? "" : css.end}`}
                  aria-sort={one === key ? "descending" : undefined}
                >
                  {one ? (
                    <button type="button" onClick={() => set({ sort: `-${one}` })}>
                      {label}
                      {one === key ? " ↓" : ""}
                    </button>
                  ) : (
                    label
                  )}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <Row key={`${row.engine}/${row.name}`} project={project} row={row} />
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}
