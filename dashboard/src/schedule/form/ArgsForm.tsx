/** Arguments by parameter where the signature is known, as JSON where it is not. */
import { useState } from "react";
import type { Param } from "../../api/types";
import { plain } from "../../ui/escape";
import { Button } from "../../ui/parts";
import { faultOf } from "../jsonText";
import type { Draft } from "./draft";
import { FaultAt, Field, JsonField } from "./faults";
import css from "./form.module.css";
import { joined, missingParams, namedParams, slotsOf, typedOf, valueFrom } from "./params";

type Change = (change: Partial<Draft>) => void;
type Props = { draft: Draft; params: Param[] | null; set: Change };

function ByName({ draft, params, set }: { draft: Draft; params: Param[]; set: Change }) {
  const slots = slotsOf(draft.args, draft.kwargs, params);
  if (!slots) return null;
  const lacking = missingParams(slots, params);
  const change = (param: Param, typed: string) => {
    const values = new Map(slots.values);
    const value = valueFrom(typed, param);
    if (value === undefined) values.delete(param.name);
    else values.set(param.name, value);
    set(joined({ ...slots, values }, params));
  };
  return (
    <>
      {namedParams(params).map((param) => (
        <Field
          key={param.name}
          label={
            <>
              <code>{plain(param.name)}</code>{" "}
              {param.annotation && <small>{plain(param.annotation)}</small>}
            </>
          }
          pointer={`/kwargs/${param.name}`}
        >
          {(marks) => (
            <input
              {...marks}
              className={css.input}
              data-mono
              value={typedOf(slots.values.get(param.name), param)}
              placeholder={param.has_default ? `default ${plain(param.default ?? "")}` : "required"}
              spellCheck={false}
              autoComplete="off"
              onChange={(event) => change(param, event.target.value)}
            />
          )}
        </Field>
      ))}
      {namedParams(params).length === 0 && <p className={css.note}>It takes no arguments.</p>}
      {lacking.length > 0 && (
        <p className={css.warn}>Without a value yet: {lacking.map(plain).join(", ")}.</p>
      )}
    </>
  );
}

export function ArgsForm({ draft, params, set }: Props) {
  const [wantsJson, setWantsJson] = useState(false);
  const fits = params !== null && slotsOf(draft.args, draft.kwargs, params) !== null;
  const isJson = wantsJson || !fits;
  const isBroken =
    faultOf(draft.args, "array") !== null || faultOf(draft.kwargs, "object") !== null;
  const names = (params ?? []).map((param) => plain(param.name)).join(", ");
  return (
    <div className={css.grid}>
      {isJson || params === null ? (
        <>
          <JsonField
            label={`args, a JSON array${names ? ` (${names})` : ""}`}
            pointer="/args"
            value={draft.args}
            onChange={(args) => set({ args })}
          />
          <JsonField
            label="kwargs, a JSON object"
            pointer="/kwargs"
            value={draft.kwargs}
            onChange={(kwargs) => set({ kwargs })}
          />
        </>
      ) : (
        <>
          <ByName draft={draft} params={params} set={set} />
          <FaultAt pointer="/args" />
          <FaultAt pointer="/kwargs" />
        </>
      )}
      {params !== null && (
        <div className={css.wide}>
          {fits || isBroken ? (
            <Button tone="quiet" onClick={() => setWantsJson(!wantsJson)} aria-disabled={isBroken}>
              {isJson ? "By parameter" : "As JSON"}
            </Button>
          ) : (
            <p className={css.warn}>
              These arguments do not fit the signature ({names || "no parameters"}).
            </p>
          )}
        </div>
      )}
    </div>
  );
}
