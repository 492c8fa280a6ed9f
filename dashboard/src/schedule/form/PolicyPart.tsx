/** What happens when things go wrong: lateness, outages, overlap, failures. */
import { CATCHUP, OVERLAP } from "./choices";
import type { Draft } from "./draft";
import { JsonField, NumberField, SelectField, TextField, Tick } from "./faults";
import css from "./form.module.css";

type Props = { draft: Draft; set: (change: Partial<Draft>) => void };

function Outages({ draft, set }: Props) {
  return (
    <>
      <NumberField
        label="late by at most (s)"
        pointer="/grace_s"
        value={draft.grace_s}
        min={0}
        note="later than this is missed"
        onChange={(grace_s) => set({ grace_s: grace_s ?? 60 })}
      />
      <SelectField
        label="of slots missed in an outage"
        pointer="/catchup"
        value={draft.catchup}
        choices={CATCHUP}
        onChange={(catchup) => set({ catchup })}
      />
      {draft.catchup !== "skip" && (
        <NumberField
          label="no older than (s)"
          pointer="/catchup_window_s"
          value={draft.catchup_window_s}
          min={10}
          onChange={(value) => set({ catchup_window_s: value ?? 86_400 })}
        />
      )}
      {draft.catchup === "fire_one" && (
        <SelectField
          label="which one"
          pointer="/catchup_pick"
          value={draft.catchup_pick}
          choices={[
            ["latest", "the latest"],
            ["earliest", "the earliest"],
          ]}
          onChange={(catchup_pick) => set({ catchup_pick })}
        />
      )}
      {draft.catchup === "fire_all" && (
        <NumberField
          label="at most"
          pointer="/catchup_max"
          value={draft.catchup_max}
          min={1}
          onChange={(value) => set({ catchup_max: value ?? 100 })}
        />
      )}
    </>
  );
}

function Overlaps({ draft, set }: Props) {
  return (
    <>
      <SelectField
        label="while the task before has not ended"
        pointer="/overlap"
        value={draft.overlap}
        choices={OVERLAP}
        onChange={(overlap) => set({ overlap })}
      />
      {draft.overlap !== "allow" && (
        <>
          <NumberField
            label="tasks at a time"
            pointer="/max_running"
            value={draft.max_running}
            min={1}
            onChange={(value) => set({ max_running: value ?? 1 })}
          />
          <NumberField
            label="taken as ended after (s)"
            pointer="/overlap_timeout_s"
            value={draft.overlap_timeout_s}
            min={1}
            onChange={(value) => set({ overlap_timeout_s: value ?? 3600 })}
          />
        </>
      )}
    </>
  );
}

export function PolicyPart({ draft, set }: Props) {
  return (
    <section className={css.part}>
      <h2>when things go wrong</h2>
      <div className={css.grid}>
        <Outages draft={draft} set={set} />
        <Overlaps draft={draft} set={set} />
        <NumberField
          label="pause after failures in a row"
          pointer="/pause_after_failures"
          value={draft.pause_after_failures}
          min={1}
          placeholder="never"
          onChange={(pause_after_failures) => set({ pause_after_failures })}
        />
        <NumberField
          label="drop it when not started after (s)"
          pointer="/expires_after_s"
          value={draft.expires_after_s}
          min={1}
          placeholder="never"
          onChange={(expires_after_s) => set({ expires_after_s })}
        />
        <Tick
          label="skip a slot unless the fire before has succeeded"
          value={draft.require_last_success}
          onChange={(require_last_success) => set({ require_last_success })}
        />
      </div>
    </section>
  );
}

export function OptionsPart({ draft, set }: Props) {
  const tags = draft.tags.join(", ");
  return (
    <details className={css.more}>
      <summary>delivery, priority, options, description</summary>
      <div className={css.grid}>
        <SelectField
          label="a fire that may not have been sent"
          pointer="/delivery"
          value={draft.delivery}
          choices={[
            ["effectively_once", "is sent again, under the same id"],
            ["at_most_once", "is not sent again"],
          ]}
          onChange={(delivery) => set({ delivery })}
        />
        <NumberField
          label="tries while the broker is away"
          pointer="/dispatch/max_tries"
          value={draft.dispatch.max_tries}
          min={1}
          onChange={(value) => set({ dispatch: { ...draft.dispatch, max_tries: value ?? 5 } })}
        />
        <NumberField
          label="for at most (s)"
          pointer="/dispatch/max_age_s"
          value={draft.dispatch.max_age_s}
          min={1}
          onChange={(value) => set({ dispatch: { ...draft.dispatch, max_age_s: value ?? 3600 } })}
        />
        <NumberField
          label="priority"
          pointer="/priority"
          value={draft.priority}
          placeholder="the engine's own"
          onChange={(priority) => set({ priority })}
        />
        <JsonField
          label="options of the engine, a JSON object"
          pointer="/options"
          value={draft.options}
          onChange={(options) => set({ options })}
        />
        <JsonField
          label="headers, a JSON object"
          pointer="/headers"
          value={draft.headers}
          onChange={(headers) => set({ headers })}
        />
        <TextField
          label="description"
          pointer="/description"
          value={draft.description}
          wide
          onChange={(description) => set({ description })}
        />
        <TextField
          label="tags, with commas"
          pointer="/tags"
          value={tags}
          wide
          onChange={(typed) =>
            set({
              tags: typed.split(/\s*,\s*/).filter((tag, at, all) => tag || at < all.length - 1),
            })
          }
        />
      </div>
    </details>
  );
}
