/** A group changes hands. The rule: who lets go, who takes it and what fires meanwhile is said before. */
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { moveGroup } from "../../api/scheduleQueries";
import type { Group, Mode } from "../../api/types";
import { plain } from "../../ui/escape";
import { plural } from "../../ui/format";
import { say } from "../../ui/notice";
import css from "../../ui/overlay.module.css";
import { Text } from "../../ui/Text";
import { ActSheet } from "./ActSheet";
import { useRefreshed } from "./act";
import { Choice } from "./Choice";

const STORES: [value: string, label: string][] = [
  ["own", "where the app chooses"],
  ["brain", "in this server"],
];

/** Where a group can go from here. */
export function otherOf(group: Group): Mode {
  return group.mode === "central" ? "agents" : "central";
}

/** Why nothing will fire once it has moved, as far as is known now; null when somebody will. */
export function nobodyAfter(group: Group, to: Mode): string | null {
  if (to === "central") {
    return group.schedulers > 0
      ? null
      : "No z4j-scheduler is connected: nothing fires until one is. Start it with a key of the role scheduler.";
  }
  const here = [...group.candidates, ...group.others].some((one) => one.role !== "scheduler");
  return here ? null : "No agent of this group is connected: nothing fires until a worker starts.";
}

function LetGo({ group }: { group: Group }) {
  const { leader, candidates } = group;
  const rest = candidates.length - (leader ? 1 : 0);
  return (
    <li>
      Nobody fires it, for some seconds:{" "}
      {leader ? (
        <>
          <b>
            <Text value={leader.host ?? "who leads"} limit={120} />
            {leader.pid !== null && ` · ${leader.pid}`}
          </b>{" "}
          lets go
          {rest > 0 && `, and ${plural(rest, "process", "processes")} that stand by hear of it`}
        </>
      ) : (
        `${plural(candidates.length, "process", "processes")} that may lead hear of it`
      )}
      .
    </li>
  );
}

type Props = { project: string; group: Group; onClose: () => void };

export function MoveSheet({ project, group, onClose }: Props) {
  const to = otherOf(group);
  const [store, setStore] = useState("own");
  const refreshed = useRefreshed(project);
  const name = `${group.engine} · ${plain(group.app)}`;
  const act = useMutation({
    mutationFn: () => moveGroup(project, group, to, store),
    onSuccess: () => {
      say(`${name} is on its way`);
      refreshed();
      onClose();
    },
  });
  const nobody = nobodyAfter(group, to);
  return (
    <ActSheet
      title={to === "central" ? `Move ${name} to z4j-scheduler` : `Give ${name} back to its agents`}
      verb={`Move ${plural(group.schedules, "schedule")}`}
      why={null}
      note="It can be moved back in the same way"
      isBusy={act.isPending}
      error={act.error}
      onClose={onClose}
      onAct={() => act.mutate()}
    >
      <ol className={css.effect}>
        <LetGo group={group} />
        <li>
          Then {to === "central" ? "a z4j-scheduler fires" : "its agents fire"}{" "}
          <b>{plural(group.schedules, "schedule")}</b>. What fell due meanwhile is caught up as each
          schedule says.
        </li>
      </ol>
      {nobody && <p className={css.bad}>{nobody}</p>}
      {to === "central" ? (
        <p>
          From then on nothing fires while this server is away, schedules that fire on start do not,
          and a task that should be ended for the next one is waited for instead.
        </p>
      ) : (
        <Choice
          label="Where they keep the lease"
          value={store}
          choices={STORES}
          onChange={setStore}
        />
      )}
    </ActSheet>
  );
}
