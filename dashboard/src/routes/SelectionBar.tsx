/** What can be done with the selection. The rule: each button opens a sheet, none acts. */
import { openSheet } from "../actions/sheet";
import type { ActionName, Num } from "../api/types";
import { count, num } from "../ui/format";
import { Button } from "../ui/parts";
import css from "./tasks.module.css";
import type { Selection } from "./useSelection";

type Props = { selection: Selection; total: Num | null; q: string; range: string };

export function sheetFor(action: ActionName, { selection, total, q, range }: Props): void {
  const target = selection.isAll ? { q, range } : { refs: [...selection.refs] };
  const n = selection.isAll ? (total ? num(total) : "all") : count(selection.refs.size);
  openSheet({ action, title: `${n} tasks`, isMany: true, ...target });
}

export function SelectionBar(props: Props) {
  const { selection, total } = props;
  if (selection.refs.size === 0 && !selection.isAll) return null;
  const shown = selection.isAll ? (total ? num(total) : "all") : count(selection.refs.size);
  return (
    <div className={css.selection} role="toolbar" aria-label="selection">
      <strong aria-live="polite">{shown} selected</strong>
      {!selection.isAll && total && total.value > selection.refs.size && (
        <Button tone="quiet" onClick={selection.all} title="⌘A">
          all {num(total)} matching
        </Button>
      )}
      <span className={css.gap} />
      <Button icon="retry" onClick={() => sheetFor("retry", props)} title="r">
        Retry…
      </Button>
      <Button icon="cancel" onClick={() => sheetFor("cancel", props)} title="c">
        Cancel…
      </Button>
      <Button icon="stop" onClick={() => sheetFor("terminate", props)}>
        Terminate…
      </Button>
      <Button
        tone="quiet"
        icon="close"
        aria-label="clear the selection"
        title="Esc"
        onClick={selection.clear}
      />
    </div>
  );
}
