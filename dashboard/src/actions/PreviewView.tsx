/** What an act would touch, as the brain counted it. */
import type { BulkPreview, TaskState } from "../api/types";
import { count, plural } from "../ui/format";
import css from "../ui/overlay.module.css";
import { StateIcon } from "../ui/StateIcon";
import { Text } from "../ui/Text";

function Engines({ preview }: { preview: BulkPreview }) {
  return (
    <ul className={css.engines}>
      {preview.per_engine.map((one) => (
        <li key={one.engine}>
          {one.engine}: {plural(one.will, "target")}
          {one.skipped.map((skip) => (
            <div key={skip.code} className={css.warn}>
              {count(skip.n)} skipped: <Text value={skip.why} /> <code>{skip.code}</code>
            </div>
          ))}
        </li>
      ))}
    </ul>
  );
}

export function PreviewView({ preview }: { preview: BulkPreview }) {
  const states = Object.entries(preview.by_state) as [TaskState, number][];
  return (
    <>
      <p className={css.effect}>
        <Text value={preview.effect} />
      </p>
      {states.length > 0 && preview.total > 1 && (
        <div className={css.counts}>
          <strong>{plural(preview.total, "task")} match now</strong>
          {states.map(([state, n]) => (
            <StateIcon key={state} state={state} label note={count(n)} />
          ))}
        </div>
      )}
      {preview.drift > 0 && (
        <p className={css.warn}>
          {plural(preview.drift, "task has", "tasks have")} changed since you looked.
        </p>
      )}
      {preview.sample.length > 0 && (
        <div className={css.sample}>
          {preview.sample.map((task) => (
            <div key={task.ref} className={css.sampleRow}>
              <StateIcon state={task.state} />
              <Text value={task.task} limit={120} />
              <span>
                <Text value={task.headline} limit={200} />
              </span>
            </div>
          ))}
        </div>
      )}
      <Engines preview={preview} />
    </>
  );
}
