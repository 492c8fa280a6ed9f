/** What rarely decides slots: excludes, calendars, blackouts, bounds, jitter. */
import { useQuery } from "@tanstack/react-query";
import { calendars } from "../../api/scheduleQueries";
import type { BlackoutDoc, CalendarRef, WhenDoc } from "../../api/types";
import { plain } from "../../ui/escape";
import { Button } from "../../ui/parts";
import { ON_HIT } from "./choices";
import type { Draft } from "./draft";
import { FaultAt, Field, NumberField, SelectField, TextField } from "./faults";
import css from "./form.module.css";
import { SpecList } from "./SpecEditor";
import { withSeconds } from "./SpecKinds";
import { ZoneField } from "./ZoneField";

type Props = {
  project: string;
  draft: Draft;
  zone: string;
  set: (change: Partial<Draft>) => void;
};

function replaced<T>(list: T[], at: number, value: T): T[] {
  return list.map((one, place) => (place === at ? value : one));
}

function without<T>(list: T[], at: number): T[] {
  return list.filter((_, place) => place !== at);
}

type WhenProps = {
  label: string;
  pointer: string;
  zone: string;
  value: WhenDoc | null;
  onChange: (value: WhenDoc | null) => void;
};

/** A wall time of the schedule's zone; an instant that came with an offset stays one. */
function WhenField({ label, pointer, zone, value, onChange }: WhenProps) {
  if (typeof value === "string") {
    return (
      <TextField
        label={`${label}, with offset`}
        pointer={pointer}
        value={value}
        mono
        onChange={(next) => onChange(next || null)}
      />
    );
  }
  return (
    <Field label={label} pointer={pointer} note={`in ${value?.tz ?? zone}`}>
      {(marks) => (
        <input
          {...marks}
          type="datetime-local"
          step={1}
          className={css.input}
          value={value?.local ?? ""}
          onChange={(event) => {
            const local = withSeconds(event.target.value);
            onChange(local ? { local, tz: value?.tz ?? zone, fold: value?.fold ?? 0 } : null);
          }}
        />
      )}
    </Field>
  );
}

function Calendars({ project, draft, set }: Props) {
  const { data } = useQuery(calendars(project));
  const names = (data?.items ?? []).map((one) => one.name);
  const change = (list: CalendarRef[]) => set({ calendars: list });
  return (
    <fieldset className={css.group}>
      <legend>days off</legend>
      {draft.calendars.map((one, at) => (
        <div key={at} className={css.spec}>
          <SelectField
            label="calendar"
            pointer={`/calendars/${at}/ref`}
            value={one.ref}
            choices={[...new Set([one.ref, ...names])].map((name) => [name, plain(name)] as const)}
            onChange={(ref) => change(replaced(draft.calendars, at, { ...one, ref }))}
          />
          <SelectField
            label="a slot on a day off"
            pointer={`/calendars/${at}/on_hit`}
            value={one.on_hit}
            choices={ON_HIT}
            onChange={(on_hit) => change(replaced(draft.calendars, at, { ...one, on_hit }))}
          />
          <Button
            icon="trash"
            tone="quiet"
            className={css.remove}
            onClick={() => change(without(draft.calendars, at))}
          >
            Remove
          </Button>
        </div>
      ))}
      {names.length === 0 ? (
        <p className={css.note}>This project has no calendar yet.</p>
      ) : (
        <Button
          icon="plus"
          tone="quiet"
          className={css.add}
          onClick={() => change([...draft.calendars, { ref: names[0] ?? "", on_hit: "skip" }])}
        >
          Add a calendar
        </Button>
      )}
    </fieldset>
  );
}

function BlackoutRow(props: {
  value: BlackoutDoc;
  at: number;
  zone: string;
  set: (value: BlackoutDoc) => void;
}) {
  const { value, at, zone, set } = props;
  const pointer = `/blackouts/${at}`;
  const when = (field: "start" | "end", label: string) => (
    <WhenField
      label={label}
      pointer={`${pointer}/${field}`}
      zone={zone}
      value={(value[field] ?? null) as WhenDoc | null}
      onChange={(next) => set({ ...value, [field]: next })}
    />
  );
  return (
    <>
      {"cron" in value ? (
        <>
          <TextField
            label="opens at (cron text)"
            pointer={`${pointer}/cron`}
            value={String(value.cron ?? "")}
            mono
            onChange={(cron) => set({ ...value, cron })}
          />
          <ZoneField
            pointer={`${pointer}/tz`}
            value={String(value.tz ?? "UTC")}
            onChange={(tz) => set({ ...value, tz })}
          />
          <NumberField
            label="for (s)"
            pointer={`${pointer}/duration_s`}
            value={Number(value.duration_s)}
            min={1}
            onChange={(next) => set({ ...value, duration_s: next ?? 3600 })}
          />
        </>
      ) : (
        <>
          {when("start", "from")}
          {when("end", "to")}
        </>
      )}
      <SelectField
        label="a slot in it"
        pointer={`${pointer}/action`}
        value={value.action}
        choices={[
          ["skip", "is skipped"],
          ["defer", "fires when it ends"],
        ]}
        onChange={(action) => set({ ...value, action })}
      />
      <FaultAt pointer={pointer} />
    </>
  );
}

function Blackouts({ draft, zone, set }: Props) {
  const change = (blackouts: BlackoutDoc[]) => set({ blackouts });
  const weekly: BlackoutDoc = { action: "skip", cron: "0 22 * * 6", tz: zone, duration_s: 7200 };
  return (
    <fieldset className={css.group}>
      <legend>blackouts: windows in which nothing fires</legend>
      {draft.blackouts.map((one, at) => (
        <div key={at} className={css.spec}>
          <BlackoutRow
            value={one}
            at={at}
            zone={zone}
            set={(next) => change(replaced(draft.blackouts, at, next))}
          />
          <Button
            icon="trash"
            tone="quiet"
            className={css.remove}
            onClick={() => change(without(draft.blackouts, at))}
          >
            Remove
          </Button>
        </div>
      ))}
      <div className={css.adds}>
        <Button
          icon="plus"
          tone="quiet"
          onClick={() => change([...draft.blackouts, { action: "skip", start: null, end: null }])}
        >
          Add a window
        </Button>
        <Button icon="plus" tone="quiet" onClick={() => change([...draft.blackouts, weekly])}>
          Add one that repeats
        </Button>
      </div>
    </fieldset>
  );
}

export function Advanced(props: Props) {
  const { draft, zone, set } = props;
  const used =
    draft.exclude.length +
    draft.calendars.length +
    draft.blackouts.length +
    (draft.jitter_s > 0 ? 1 : 0) +
    [draft.start_at, draft.end_at, draft.max_fires].filter((one) => one !== null).length;
  return (
    <details className={css.more}>
      <summary>
        advanced: excludes, days off, blackouts, start and end, jitter
        {used > 0 && ` · ${used} in use`}
      </summary>
      <div className={css.grid}>
        <WhenField
          label="not before"
          pointer="/start_at"
          zone={zone}
          value={draft.start_at}
          onChange={(start_at) => set({ start_at })}
        />
        <WhenField
          label="not after"
          pointer="/end_at"
          zone={zone}
          value={draft.end_at}
          onChange={(end_at) => set({ end_at })}
        />
        <NumberField
          label="at most this many fires"
          pointer="/max_fires"
          value={draft.max_fires}
          min={1}
          placeholder="any number"
          onChange={(max_fires) => set({ max_fires })}
        />
        <NumberField
          label="jitter: later by up to (s)"
          pointer="/jitter_s"
          value={draft.jitter_s}
          min={0}
          onChange={(jitter_s) => set({ jitter_s: jitter_s ?? 0 })}
        />
        {draft.jitter_s > 0 && (
          <SelectField
            label="jitter"
            pointer="/jitter_mode"
            value={draft.jitter_mode}
            choices={[
              ["slot", "differs from slot to slot"],
              ["fixed", "is the same for all slots"],
            ]}
            onChange={(jitter_mode) => set({ jitter_mode })}
          />
        )}
      </div>
      <fieldset className={css.group}>
        <legend>excludes: slots that also match one of these do not fire</legend>
        <SpecList
          specs={draft.exclude}
          pointer="/exclude"
          zone={zone}
          least={0}
          add="Add an exclude"
          onChange={(exclude) => set({ exclude })}
        />
      </fieldset>
      <Calendars {...props} />
      <Blackouts {...props} />
    </details>
  );
}
