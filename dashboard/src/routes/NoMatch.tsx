/** Zero rows. The rule: say which term to drop or which range to open, with the count behind it. */
import { useQueries, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { count as countTasks, onboarding } from "../api/queries";
import type { Num } from "../api/types";
import { without } from "../query/edit";
import { terms } from "../query/tokenizer";
import { useUrl } from "../shell/search";
import { plain } from "../ui/escape";
import { num } from "../ui/format";
import { Button, Empty } from "../ui/parts";
import css from "./tasks.module.css";

type Props = { project: string; q: string; range: string };
type Way = { label: string; q: string; range: string };

function waysOut({ q, range }: Props): Way[] {
  const ways = terms(q).map((term) => ({
    label: `without ${plain(q.slice(term.from, term.to))}`,
    q: without(q, term),
    range,
  }));
  if (range !== "all") ways.push({ label: "in all time", q, range: "all" });
  return ways.slice(0, 8);
}

function useWays(props: Props): { way: Way; n: Num }[] {
  const ways = waysOut(props);
  const counts = useQueries({
    queries: ways.map((way) => ({
      queryKey: [props.project, "count", way.q, way.range],
      queryFn: ({ signal }: { signal: AbortSignal }) =>
        countTasks(props.project, way.q, way.range, signal),
    })),
  });
  return ways
    .flatMap((way, at) => {
      const n = counts[at]?.data;
      return n && n.value > 0 ? [{ way, n }] : [];
    })
    .sort((a, b) => b.n.value - a.n.value)
    .slice(0, 3);
}

export function NoMatch(props: Props) {
  const { set } = useUrl();
  const ways = useWays(props);
  const { data } = useQuery(onboarding(props.project));
  const isNew = data && data.agents === 0 && ways.length === 0;
  if (isNew) {
    return (
      <Empty title="No agent has connected yet">
        <Link to="/p/$project" params={{ project: props.project }} search={{}} className={css.link}>
          Connect the first one
        </Link>
      </Empty>
    );
  }
  return (
    <Empty title={props.q ? "0 tasks match" : "No task in this range"}>
      {ways.map(({ way, n }) => (
        <Button
          key={way.label}
          onClick={() =>
            set({ q: way.q || undefined, range: way.range === "1h" ? undefined : way.range })
          }
        >
          {num(n)} {way.label}
        </Button>
      ))}
    </Empty>
  );
}
