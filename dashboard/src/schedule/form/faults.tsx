/** Errors at their field. The rule: a fault is shown where its pointer leads, and nowhere only when no field has it. */
import { createContext, type ReactNode, useContext, useEffect, useId } from "react";
import { Problem } from "../../api/http";
import { Text } from "../../ui/Text";
import type { Fault } from "./draft";
import css from "./form.module.css";

export type Faults = { list: Fault[]; shown: Set<string> };

const Context = createContext<Faults>({ list: [], shown: new Set() });
export const FaultsProvider = Context.Provider;

/** What a refusal says about fields. */
export function faultsOf(error: unknown): Fault[] {
  if (!(error instanceof Problem) || error.status !== 422) return [];
  const { pointer, message } = error.extra;
  return [
    {
      pointer: typeof pointer === "string" ? pointer : (error.field ?? ""),
      message: typeof message === "string" ? message : error.detail,
      hint: error.hint,
      code: error.code,
    },
  ];
}

function useFault(pointer: string): Fault | undefined {
  const { list, shown } = useContext(Context);
  useEffect(() => {
    shown.add(pointer);
    return () => void shown.delete(pointer);
  }, [pointer, shown]);
  return list.find((fault) => fault.pointer === pointer);
}

export function FaultLine({ fault, id }: { fault: Fault; id?: string }) {
  return (
    <span role="alert" id={id} className={css.fault}>
      <Text value={fault.message} limit={400} />
      {fault.hint && (
        <>
          {" · "}
          <Text value={fault.hint} limit={400} />
        </>
      )}
    </span>
  );
}

/** A fault of the part that has this pointer and no field of its own for it. */
export function FaultAt({ pointer }: { pointer: string }) {
  const fault = useFault(pointer);
  return fault ? <FaultLine fault={fault} /> : null;
}

type Marks = { id: string; "aria-invalid": boolean; "aria-describedby": string | undefined };
type FieldProps = {
  label: ReactNode;
  pointer: string;
  note?: ReactNode;
  wide?: boolean;
  children: (marks: Marks) => ReactNode;
};

export function Field({ label, pointer, note, wide, children }: FieldProps) {
  const id = useId();
  const fault = useFault(pointer);
  const faultId = `${id}-fault`;
  return (
    <div className={css.field} data-wide={wide || undefined}>
      <label htmlFor={id}>{label}</label>
      {children({
        id,
        "aria-invalid": fault !== undefined,
        "aria-describedby": fault ? faultId : undefined,
      })}
      {fault && <FaultLine fault={fault} id={faultId} />}
      {note && <small>{note}</small>}
    </div>
  );
}

type InputProps<T> = {
  label: string;
  pointer: string;
  value: T;
  onChange: (value: T) => void;
  note?: ReactNode;
  wide?: boolean;
};

export function TextField(
  props: InputProps<string> & {
    mono?: boolean;
    list?: string;
    placeholder?: string;
    type?: string;
  },
) {
  return (
    <Field label={props.label} pointer={props.pointer} note={props.note} wide={props.wide}>
      {(marks) => (
        <input
          {...marks}
          className={css.input}
          data-mono={props.mono || undefined}
          type={props.type ?? "text"}
          step={props.type === "datetime-local" ? 1 : undefined}
          value={props.value}
          list={props.list}
          placeholder={props.placeholder}
          spellCheck={false}
          autoComplete="off"
          onChange={(event) => props.onChange(event.target.value)}
        />
      )}
    </Field>
  );
}

/** A number, or null where nothing stands. */
export function NumberField(
  props: Omit<InputProps<number | null>, "onChange"> & {
    onChange: (value: number | null) => void;
    min?: number;
    step?: number | "any";
    placeholder?: string;
  },
) {
  return (
    <Field label={props.label} pointer={props.pointer} note={props.note}>
      {(marks) => (
        <input
          {...marks}
          className={css.input}
          type="number"
          min={props.min}
          step={props.step ?? 1}
          placeholder={props.placeholder}
          value={props.value ?? ""}
          onChange={(event) =>
            props.onChange(event.target.value === "" ? null : event.target.valueAsNumber)
          }
        />
      )}
    </Field>
  );
}

export function SelectField(
  props: InputProps<string> & { choices: readonly (readonly [value: string, label: string])[] },
) {
  return (
    <Field label={props.label} pointer={props.pointer} note={props.note}>
      {(marks) => (
        <select
          {...marks}
          className={css.input}
          value={props.value}
          onChange={(event) => props.onChange(event.target.value)}
        >
          {props.choices.map(([value, label]) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

export function JsonField(props: InputProps<string>) {
  return (
    <Field label={props.label} pointer={props.pointer} note={props.note} wide>
      {(marks) => (
        <textarea
          {...marks}
          className={css.input}
          data-mono
          rows={3}
          value={props.value}
          spellCheck={false}
          onChange={(event) => props.onChange(event.target.value)}
        />
      )}
    </Field>
  );
}

export function Tick(props: { label: ReactNode; value: boolean; onChange: (on: boolean) => void }) {
  return (
    <label className={css.tick}>
      <input
        type="checkbox"
        checked={props.value}
        onChange={(event) => props.onChange(event.target.checked)}
      />
      <span>{props.label}</span>
    </label>
  );
}
