/** The fields of each kind of rule. The rule: a field changes one member of the document, the others stay. */
import type { Json, SpecDoc } from "../../api/types";
import { Text } from "../../ui/Text";
import { DIALECTS, DST, SUN, UNITS } from "./choices";
import { Field, NumberField, SelectField, TextField, Tick } from "./faults";
import css from "./form.module.css";
import { ZoneField } from "./ZoneField";

type KindProps = { spec: SpecDoc; pointer: string; set: (change: { [f: string]: Json }) => void };

const text = (value: Json | undefined) =>
  typeof value === "string" || typeof value === "number" ? String(value) : "";

function Clocks({ spec, pointer, set }: KindProps) {
  if (typeof spec.dst !== "string") {
    return (
      <p className={css.note}>
        Changes of the clock: <code>{JSON.stringify(spec.dst ?? "cron")}</code>
      </p>
    );
  }
  return (
    <SelectField
      label="when clocks change"
      pointer={`${pointer}/dst`}
      value={spec.dst}
      choices={DST}
      onChange={(dst) => set({ dst })}
    />
  );
}

function CronFields(props: KindProps) {
  const { spec, pointer, set } = props;
  return (
    <>
      <TextField
        label="expression"
        pointer={`${pointer}/expr`}
        value={text(spec.expr)}
        mono
        note="minute hour day month weekday; with 6 columns seconds come first"
        onChange={(expr) => set({ expr })}
      />
      <SelectField
        label="dialect"
        pointer={`${pointer}/dialect`}
        value={text(spec.dialect)}
        choices={DIALECTS}
        onChange={(dialect) => set({ dialect })}
      />
      <ZoneField pointer={`${pointer}/tz`} value={text(spec.tz)} onChange={(tz) => set({ tz })} />
      <Clocks {...props} />
    </>
  );
}

/** A number stays a number: seconds. */
function period(typed: string): Json {
  return /^\d+(\.\d+)?$/.test(typed.trim()) ? Number(typed) : typed.trim();
}

function IntervalFields({ spec, pointer, set }: KindProps) {
  const isAt = spec.anchor !== "created" && spec.anchor !== "epoch";
  return (
    <>
      <TextField
        label="every"
        pointer={`${pointer}/every`}
        value={text(spec.every)}
        mono
        note="seconds, 15m, 1h30m or PT5M"
        onChange={(every) => set({ every: period(every) })}
      />
      <SelectField
        label="counted from"
        pointer={isAt ? `${pointer}/mode` : `${pointer}/anchor`}
        value={isAt ? "at" : text(spec.anchor)}
        choices={[
          ["created", "when it was made"],
          ["epoch", "1970, so that all hours align"],
          ["at", "a time"],
        ]}
        onChange={(anchor) =>
          set({ anchor: anchor === "at" ? `${new Date().toISOString().slice(0, 19)}Z` : anchor })
        }
      />
      {isAt && (
        <TextField
          label="time, with offset"
          pointer={`${pointer}/anchor`}
          value={text(spec.anchor)}
          mono
          onChange={(anchor) => set({ anchor })}
        />
      )}
      <SelectField
        label="measured"
        pointer={`${pointer}/mode`}
        value={text(spec.mode)}
        choices={[
          ["fixed_rate", "from start to start"],
          ["fixed_delay", "from end to start"],
        ]}
        onChange={(mode) => set({ mode })}
      />
    </>
  );
}

function CalendarFields(props: KindProps) {
  const { spec, pointer, set } = props;
  const every = (spec.every ?? {}) as { [unit: string]: number };
  const unit = Object.keys(every)[0] ?? "months";
  const n = every[unit] ?? 1;
  return (
    <>
      <NumberField
        label="every"
        pointer={`${pointer}/every/${unit}`}
        value={n}
        min={1}
        onChange={(value) => set({ every: { [unit]: value ?? 1 } })}
      />
      <SelectField
        label="unit"
        pointer={`${pointer}/every`}
        value={unit}
        choices={UNITS}
        onChange={(next) => set({ every: { [next]: n } })}
      />
      <TextField
        label="counted from"
        pointer={`${pointer}/anchor`}
        type="datetime-local"
        value={text(spec.anchor)}
        onChange={(anchor) => set({ anchor: withSeconds(anchor) })}
      />
      <ZoneField pointer={`${pointer}/tz`} value={text(spec.tz)} onChange={(tz) => set({ tz })} />
      <SelectField
        label="a day that the month lacks"
        pointer={`${pointer}/month_end`}
        value={text(spec.month_end)}
        choices={[
          ["clamp", "is the month's last day"],
          ["skip", "is skipped"],
        ]}
        onChange={(month_end) => set({ month_end })}
      />
      <Clocks {...props} />
    </>
  );
}

/** What a datetime-local input gives, to the second. */
export function withSeconds(local: string): string {
  return /T\d\d:\d\d$/.test(local) ? `${local}:00` : local;
}

function OnceFields({ spec, pointer, set }: KindProps) {
  const isInstant = typeof spec.at === "string" && /(Z|[+-]\d\d:\d\d)$/.test(spec.at);
  if (isInstant) {
    return (
      <TextField
        label="at, with offset"
        pointer={`${pointer}/at`}
        value={text(spec.at)}
        mono
        onChange={(at) => set({ at })}
      />
    );
  }
  return (
    <>
      <TextField
        label="at"
        pointer={`${pointer}/at`}
        type="datetime-local"
        value={text(spec.at)}
        onChange={(at) => set({ at: withSeconds(at) })}
      />
      <ZoneField pointer={`${pointer}/tz`} value={text(spec.tz)} onChange={(tz) => set({ tz })} />
      <SelectField
        label="where the clock shows it twice"
        pointer={`${pointer}/fold`}
        value={text(spec.fold) || "0"}
        choices={[
          ["0", "the first time"],
          ["1", "the second time"],
        ]}
        onChange={(fold) => set({ fold: Number(fold) })}
      />
      <Tick
        label="delete it afterwards"
        value={spec.delete_after === true}
        onChange={(delete_after) => set({ delete_after })}
      />
    </>
  );
}

function SolarFields({ spec, pointer, set }: KindProps) {
  const number = (field: string) => (typeof spec[field] === "number" ? Number(spec[field]) : null);
  return (
    <>
      <SelectField
        label="event"
        pointer={`${pointer}/event`}
        value={text(spec.event)}
        choices={SUN}
        onChange={(event) => set({ event })}
      />
      <NumberField
        label="latitude"
        pointer={`${pointer}/lat`}
        value={number("lat")}
        step="any"
        onChange={(lat) => set({ lat })}
      />
      <NumberField
        label="longitude"
        pointer={`${pointer}/lon`}
        value={number("lon")}
        step="any"
        onChange={(lon) => set({ lon })}
      />
      <NumberField
        label="seconds after (before: negative)"
        pointer={`${pointer}/offset_s`}
        value={number("offset_s")}
        onChange={(offset_s) => set({ offset_s: offset_s ?? 0 })}
      />
      <SelectField
        label="a day without it"
        pointer={`${pointer}/on_no_event`}
        value={text(spec.on_no_event)}
        choices={[
          ["skip", "is skipped"],
          ["noon", "fires at solar noon"],
        ]}
        onChange={(on_no_event) => set({ on_no_event })}
      />
    </>
  );
}

function RruleFields(props: KindProps) {
  const { spec, pointer, set } = props;
  return (
    <>
      <Field label="DTSTART and rule" pointer={`${pointer}/text`} wide>
        {(marks) => (
          <textarea
            {...marks}
            className={css.input}
            data-mono
            rows={3}
            value={text(spec.text)}
            spellCheck={false}
            onChange={(event) => set({ text: event.target.value })}
          />
        )}
      </Field>
      <Clocks {...props} />
    </>
  );
}

export function KindFields(props: KindProps) {
  switch (props.spec.kind) {
    case "cron":
      return <CronFields {...props} />;
    case "interval":
      return <IntervalFields {...props} />;
    case "calendar":
      return <CalendarFields {...props} />;
    case "once":
      return <OnceFields {...props} />;
    case "solar":
      return <SolarFields {...props} />;
    case "rrule":
      return <RruleFields {...props} />;
    case "on_start":
      return <p className={css.note}>It fires once for each release that the leader sees first.</p>;
    default:
      return (
        <p className={css.note}>
          A rule in code, which is not edited here: <Text value={text(props.spec.shown)} />
        </p>
      );
  }
}
