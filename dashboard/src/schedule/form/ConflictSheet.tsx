/** Somebody else saved first. The rule: for each field that both changed the reader picks one, nothing is picked for them. */
import { useMemo, useState } from "react";
import { Overlay } from "../../ui/Overlay";
import overlay from "../../ui/overlay.module.css";
import { Button } from "../../ui/parts";
import { Text } from "../../ui/Text";
import css from "../schedule.module.css";
import { changedFields, type Draft } from "./draft";
import { type Clash, clashes, merged, type Side } from "./merge";

type Chosen = Partial<Record<keyof Draft, Side>>;
type Props = {
  base: Draft;
  yours: Draft;
  theirs: Draft;
  onClose: () => void;
  onMerged: (draft: Draft) => void;
};

const LABEL: Record<Side, string> = { yours: "yours", theirs: "theirs" };

function ClashView(props: { clash: Clash; side: Side | undefined; pick: (side: Side) => void }) {
  const { clash, side, pick } = props;
  return (
    <fieldset className={css.clash}>
      <legend>
        <code>{clash.field}</code>
      </legend>
      <div className={css.sides}>
        <div className={css.side} data-base>
          <span>before</span>
          <pre>
            <Text value={clash.base} multiline limit={4000} />
          </pre>
        </div>
        {(["yours", "theirs"] as const).map((one) => (
          <div key={one} className={css.side} data-chosen={side === one || undefined}>
            <label>
              <input
                type="radio"
                name={`clash-${clash.field}`}
                checked={side === one}
                onChange={() => pick(one)}
              />
              {LABEL[one]}
            </label>
            <pre>
              <Text value={clash[one]} multiline limit={4000} />
            </pre>
          </div>
        ))}
      </div>
    </fieldset>
  );
}

export function ConflictSheet({ base, yours, theirs, onClose, onMerged }: Props) {
  const open = useMemo(() => clashes(base, yours, theirs), [base, yours, theirs]);
  const [chosen, setChosen] = useState<Chosen>({});
  const left = open.filter((clash) => chosen[clash.field] === undefined).length;
  const other = changedFields(base, theirs).filter(
    (field) => !open.some((clash) => clash.field === field),
  );
  const why = left === 0 ? null : `Pick one for ${left} more`;
  return (
    <Overlay title="Somebody saved this schedule while you edited it" wide onClose={onClose}>
      <div className={overlay.body}>
        {open.map((clash) => (
          <ClashView
            key={clash.field}
            clash={clash}
            side={chosen[clash.field]}
            pick={(side) => setChosen((old) => ({ ...old, [clash.field]: side }))}
          />
        ))}
        {other.length > 0 && (
          <p>
            Changed by them alone, and kept: <code>{other.join(", ")}</code>
          </p>
        )}
        {open.length === 0 && <p>No field was changed by both: yours are kept as well.</p>}
      </div>
      <footer className={overlay.foot}>
        <span>{why ?? "The result is saved as a new revision"}</span>
        <Button onClick={onClose}>Back</Button>
        <Button
          tone="primary"
          aria-disabled={why !== null}
          title={why ?? undefined}
          onClick={() => why === null && onMerged(merged(base, yours, theirs, chosen))}
        >
          Save the result
        </Button>
      </footer>
    </Overlay>
  );
}
