/** The list under the bar: keys, values with counts, earlier queries. */
import type { Completion } from "../api/types";
import { short } from "../ui/format";
import { Text } from "../ui/Text";
import css from "./query.module.css";

type Props = {
  id: string;
  items: Completion[];
  active: number;
  onPick: (item: Completion) => void;
};

export function Suggestions({ id, items, active, onPick }: Props) {
  return (
    <div id={id} role="listbox" aria-label="suggestions" className={css.list}>
      {items.map((item, at) => (
        // biome-ignore lint/a11y/useKeyWithClickEvents: the input owns the arrow keys, Tab and Enter
        <div
          key={`${item.kind}${item.text}`}
          id={`${id}-${at}`}
          role="option"
          aria-selected={at === active}
          className={css.option}
          onMouseDown={(event) => event.preventDefault()}
          onClick={() => onPick(item)}
        >
          <span className={css.optionText} data-kind={item.kind}>
            <Text value={item.text} limit={120} />
          </span>
          <span className={css.optionHint}>
            <Text value={item.hint} limit={120} />
          </span>
          {item.count !== null && <span className={css.optionCount}>{short(item.count)}</span>}
        </div>
      ))}
      <div className={css.legend}>
        <span>
          <kbd>↑</kbd> <kbd>↓</kbd> choose
        </span>
        <span>
          <kbd>Tab</kbd> accept
        </span>
        <span>
          <kbd>↵</kbd> search
        </span>
        <span className={css.legendEnd}>
          -key:value excludes · a,b is any of · "quotes" for text
        </span>
      </div>
    </div>
  );
}
