/** When a schedule fires next, or why it does not. */
import type { Schedule, SpecDoc } from "../api/types";
import { useNow } from "../ui/clock";
import { plain } from "../ui/escape";
import { absolute, clock, moment } from "../ui/format";
import { Tag } from "../ui/parts";
import { Text } from "../ui/Text";
import { Time } from "../ui/Time";
import css from "./schedule.module.css";

/** The zone a schedule lives by, as its first spec says. */
export function zoneOf(specs: SpecDoc[]): string {
  const spec = specs[0];
  if (typeof spec?.tz === "string") return spec.tz;
  const text = typeof spec?.text === "string" ? spec.text : "";
  return /TZID=([^:;]+)/.exec(text)?.[1] ?? "UTC";
}

function Until({ at }: { at: number }) {
  const isToday = at - useNow() < 64_800_000;
  return (
    <span title={absolute(at)}>{isToday ? clock(at).slice(0, 5) : moment(at).slice(0, -3)}</span>
  );
}

export function Standing({ schedule }: { schedule: Schedule }) {
  const { paused, silent } = schedule;
  return (
    <>
      {silent && (
        <Tag tone="bad">
          <span title={plain(silent)}>silent</span>
        </Tag>
      )}
      {paused && (
        <span className={css.paused} title={paused.note === null ? undefined : plain(paused.note)}>
          <Tag tone="warn">
            paused
            {paused.until !== null && (
              <>
                {" "}
                until <Until at={paused.until} />
              </>
            )}
          </Tag>
          {paused.note && (
            <span className={css.note}>
              <Text value={paused.note} limit={120} />
            </span>
          )}
        </span>
      )}
      {!schedule.enabled && <Tag>disabled</Tag>}
    </>
  );
}

export function NextFire({ schedule }: { schedule: Schedule }) {
  if (!schedule.enabled || schedule.paused) return <Standing schedule={schedule} />;
  return (
    <span className={css.next}>
      <Standing schedule={schedule} />
      {schedule.next_due_ms === null ? (
        <span className={css.faint}>no more</span>
      ) : (
        <>
          <Time at={schedule.next_due_ms} form="distance" />
          <small>{zoneOf(schedule.specs)}</small>
        </>
      )}
    </span>
  );
}
