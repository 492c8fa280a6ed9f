/** Who fires a group, the button that changes it, and how far a change has come. */
import { lazy, Suspense, useState } from "react";
import type { Group, Mode } from "../api/types";
import css from "../routes/page.module.css";
import { Button } from "../ui/parts";
import { Text } from "../ui/Text";
import own from "./places.module.css";

const MoveSheet = lazy(() => import("./acts/MoveSheet").then((m) => ({ default: m.MoveSheet })));
const WHO: Record<Mode, string> = { agents: "its agents", central: "z4j-scheduler" };

/** The two phases of a move: what is waited for now, and what follows. */
function Phases({ group, to }: { group: Group; to: Mode }) {
  return (
    <ol className={own.phases} aria-label="move" aria-live="polite">
      <li aria-current="step">
        {WHO[group.mode]} let{group.mode === "central" && "s"} go: nobody fires it
        {group.waits_for && (
          <span className={css.muted}>
            {" · "}
            <Text value={group.waits_for} limit={200} />
          </span>
        )}
      </li>
      <li className={css.faint}>
        {WHO[to]} fire{to === "central" && "s"} it, and what fell due meanwhile
      </li>
    </ol>
  );
}

type Props = { project: string; group: Group; mayMove: boolean };

export function Move({ project, group, mayMove }: Props) {
  const [isOpen, setOpen] = useState(false);
  if (group.moving_to !== null) return <Phases group={group} to={group.moving_to} />;
  return (
    <p className={own.mode}>
      <span>
        fired by <b>{WHO[group.mode]}</b>
      </span>
      {mayMove && (
        <Button tone="quiet" onClick={() => setOpen(true)}>
          {group.mode === "central" ? "Give back to its agents…" : "Move to z4j-scheduler…"}
        </Button>
      )}
      {isOpen && (
        <Suspense fallback={null}>
          <MoveSheet project={project} group={group} onClose={() => setOpen(false)} />
        </Suspense>
      )}
    </p>
  );
}
