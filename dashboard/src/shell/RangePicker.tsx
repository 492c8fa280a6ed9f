/** The page's time range. */
import { moment } from "../ui/format";
import { DEFAULT_RANGE, RANGES, useUrl } from "./search";
import css from "./shell.module.css";

function customLabel(range: string): string {
  const [from, to] = range.split("..").map(Number);
  return from && to ? `${moment(from)} to ${moment(to)}` : range;
}

export function RangePicker() {
  const { range, set } = useUrl();
  const isKnown = (RANGES as readonly string[]).includes(range);
  return (
    <select
      className={css.range}
      aria-label="time range"
      title="[ shorter, ] longer"
      value={range}
      onChange={(event) => {
        const value = event.target.value;
        set({ range: value === DEFAULT_RANGE ? undefined : value });
      }}
    >
      {!isKnown && <option value={range}>{customLabel(range)}</option>}
      {RANGES.map((one) => (
        <option key={one} value={one}>
          {one === "all" ? "all time" : one}
        </option>
      ))}
    </select>
  );
}
