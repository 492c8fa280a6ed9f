/** Slots of a past range again. The rule: the button exists only behind a dry answer that counts them. */
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { addBulk } from "../../actions/toasts";
import { readBulk } from "../../api/queries";
import { backfill } from "../../api/scheduleQueries";
import { brainNow } from "../../ui/clock";
import { plain } from "../../ui/escape";
import { count, moment, plural } from "../../ui/format";
import css from "../../ui/overlay.module.css";
import { ErrorView, Skeleton } from "../../ui/parts";
import { ActSheet } from "./ActSheet";
import { type SheetProps, useAct } from "./act";
import { Choice } from "./Choice";

const DAY_MS = 86_400_000;
const OVERLAPS: [value: string, label: string][] = [
  ["allow", "they do not wait for each other"],
  ["buffer_all", "one after the other"],
];

/** An instant as a datetime-local input wants it, in the viewer's zone. */
export function localInput(at: number): string {
  const shift = new Date(at).getTimezoneOffset() * 60_000;
  return new Date(at - shift).toISOString().slice(0, 16);
}

export function BackfillSheet(props: SheetProps) {
  const { project, schedule } = props;
  const [from, setFrom] = useState(() => localInput(brainNow() - DAY_MS));
  const [to, setTo] = useState(() => localInput(brainNow()));
  const [overlap, setOverlap] = useState("allow");
  const range = { from_ms: Date.parse(from), to_ms: Date.parse(to) };
  const isRange = range.from_ms < range.to_ms;
  const body = { ...range, overlap };
  const { data, error } = useQuery({
    queryKey: [project, "backfill", schedule.id, body],
    queryFn: ({ signal }) => backfill(project, schedule.id, { ...body, dry_run: true }, signal),
    enabled: isRange,
    gcTime: 0,
    staleTime: 0,
  });
  const act = useAct(
    props,
    async () => {
      const done = await backfill(project, schedule.id, { ...body, dry_run: false });
      if (done.backfill_id) addBulk(await readBulk(project, done.backfill_id));
      return done;
    },
    (done) => `${plural(done.total, "fire")} on the way, 10 a second`,
  );
  const total = isRange ? (data?.total ?? 0) : 0;
  const why = !isRange
    ? "The range must end after it starts"
    : !data
      ? "Counting the slots"
      : total === 0
        ? "No slot lies in this range"
        : null;
  return (
    <ActSheet
      title={`Backfill ${plain(schedule.name)}`}
      verb={total > 0 ? `Fire ${count(total)}` : "Fire…"}
      why={why}
      note="10 a second; a slot that has fired already fires again"
      isBusy={act.isPending}
      error={act.error}
      onClose={props.onClose}
      onAct={() => act.mutate()}
    >
      <label className={css.field}>
        <span>From, in your zone</span>
        <input
          type="datetime-local"
          className={css.input}
          value={from}
          aria-invalid={!isRange}
          onChange={(event) => setFrom(event.target.value)}
        />
      </label>
      <label className={css.field}>
        <span>To</span>
        <input
          type="datetime-local"
          className={css.input}
          value={to}
          aria-invalid={!isRange}
          onChange={(event) => setTo(event.target.value)}
        />
      </label>
      <Choice label="Overlap" value={overlap} choices={OVERLAPS} onChange={setOverlap} />
      {error && <ErrorView error={error} />}
      {isRange && !data && !error && <Skeleton rows={2} />}
      {isRange && data && (
        <p className={css.effect} data-testid="dry">
          {plural(total, "slot")}
          {data.more && " and more: only these are fired"}
          {total > 0 && (
            <>
              , from {moment(data.slots[0] ?? 0)} to {moment(data.slots.at(-1) ?? 0)}
            </>
          )}
          .
        </p>
      )}
    </ActSheet>
  );
}
