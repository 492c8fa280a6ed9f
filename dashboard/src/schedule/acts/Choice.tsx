/** One of a few, under its label. */
import css from "../../ui/overlay.module.css";

type Props<T extends string> = {
  label: string;
  value: T;
  choices: readonly (readonly [value: T, label: string])[];
  onChange: (value: T) => void;
};

export function Choice<T extends string>({ label, value, choices, onChange }: Props<T>) {
  return (
    <label className={css.field}>
      <span>{label}</span>
      <select
        className={css.input}
        value={value}
        onChange={(event) => onChange(event.target.value as T)}
      >
        {choices.map(([each, name]) => (
          <option key={each} value={each}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}
