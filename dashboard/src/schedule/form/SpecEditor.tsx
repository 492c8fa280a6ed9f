/** Rules of when, each by its kind. */
import type { SpecDoc } from "../../api/types";
import { Button } from "../../ui/parts";
import { KINDS } from "./choices";
import { newSpec } from "./draft";
import { FaultAt, SelectField } from "./faults";
import css from "./form.module.css";
import { KindFields } from "./SpecKinds";

type Props = {
  spec: SpecDoc;
  pointer: string;
  zone: string;
  onChange: (spec: SpecDoc) => void;
  onRemove?: () => void;
};

export function SpecEditor({ spec, pointer, zone, onChange, onRemove }: Props) {
  const kinds = spec.kind === "custom" ? [...KINDS, ["custom", "by code"] as const] : KINDS;
  return (
    <fieldset className={css.spec}>
      <legend className="sr">rule {pointer.split("/").at(-1)}</legend>
      <SelectField
        label="fires"
        pointer={`${pointer}/kind`}
        value={spec.kind}
        choices={kinds}
        onChange={(kind) => onChange(newSpec(kind, zone))}
      />
      <KindFields
        spec={spec}
        pointer={pointer}
        set={(change) => onChange({ ...spec, ...change })}
      />
      {onRemove && (
        <Button icon="trash" tone="quiet" onClick={onRemove} className={css.remove}>
          Remove
        </Button>
      )}
      <FaultAt pointer={pointer} />
    </fieldset>
  );
}

type ListProps = {
  specs: SpecDoc[];
  pointer: string;
  zone: string;
  least: number;
  add: string;
  onChange: (specs: SpecDoc[]) => void;
};

export function SpecList({ specs, pointer, zone, least, add, onChange }: ListProps) {
  return (
    <>
      {specs.map((spec, at) => (
        <SpecEditor
          key={at}
          spec={spec}
          pointer={`${pointer}/${at}`}
          zone={zone}
          onChange={(next) => onChange(specs.map((one, place) => (place === at ? next : one)))}
          onRemove={
            specs.length > least
              ? () => onChange(specs.filter((_, place) => place !== at))
              : undefined
          }
        />
      ))}
      <FaultAt pointer={pointer} />
      {specs.length < 16 && (
        <Button
          icon="plus"
          tone="quiet"
          className={css.add}
          onClick={() => onChange([...specs, newSpec("cron", zone)])}
        >
          {add}
        </Button>
      )}
    </>
  );
}
