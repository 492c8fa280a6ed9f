/** A calendar made, edited, deleted. The rule: who uses it is named before its days change. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useId, useState } from "react";
import { deleteCalendar, putCalendar } from "../api/scheduleQueries";
import type { CalendarItem } from "../api/types";
import { plain } from "../ui/escape";
import { plural } from "../ui/format";
import { say } from "../ui/notice";
import css from "../ui/overlay.module.css";
import { ActSheet } from "./acts/ActSheet";
import { datesOf, WEEKDAYS } from "./calendar";
import own from "./places.module.css";

const LONGEST_ICS = 1_000_000;

type Props = { project: string; item: CalendarItem | null; onClose: () => void };

function useDone(project: string, onClose: () => void) {
  const client = useQueryClient();
  return (text: string) => {
    say(text);
    void client.invalidateQueries({
      predicate: ({ queryKey }) =>
        queryKey[0] === project && /^\/(schedules|calendars)/.test(String(queryKey[1])),
    });
    onClose();
  };
}

function usersOf(item: CalendarItem | null): string {
  if (!item || item.users === 0) return "No schedule uses it yet";
  return `${plural(item.users, "schedule")} ${item.users === 1 ? "uses" : "use"} it and ${item.users === 1 ? "gets" : "get"} the new days at once`;
}

type Ics = { name: string; text: string } | null;

export function CalendarSheet({ project, item, onClose }: Props) {
  const id = useId();
  const [name, setName] = useState(item?.name ?? "");
  const [text, setText] = useState(() => (item?.dates ?? []).join("\n"));
  const [weekend, setWeekend] = useState(() => new Set(item?.weekend ?? [6, 0]));
  const [ics, setIcs] = useState<Ics>(null);
  const done = useDone(project, onClose);
  const { dates, wrong } = datesOf(text);
  const save = useMutation({
    mutationFn: () => {
      const body = { dates, weekend: [...weekend].sort(), ...(ics ? { ics: ics.text } : {}) };
      return putCalendar(project, name.trim(), body);
    },
    onSuccess: (kept) => done(`${plain(kept.name)}: ${plural(kept.dates.length, "date")}`),
    onError: () => undefined,
  });
  const why =
    name.trim() === ""
      ? "Give it a name"
      : wrong
        ? `${plain(wrong).slice(0, 40)} is no date: write 2026-12-25`
        : dates.length === 0 && weekend.size === 0 && !ics
          ? "Add a date, a day of the week, or a file"
          : null;
  return (
    <ActSheet
      title={item ? `Edit ${plain(item.name)}` : "New calendar"}
      verb="Save"
      why={why}
      note={usersOf(item)}
      isBusy={save.isPending}
      error={save.error}
      wide
      onClose={onClose}
      onAct={() => save.mutate()}
    >
      {!item && (
        <label className={css.field}>
          <span>Name</span>
          <input
            className={css.input}
            value={name}
            maxLength={200}
            placeholder="Holidays in Spain"
            onChange={(event) => setName(event.target.value)}
          />
        </label>
      )}
      <fieldset className={own.ticks}>
        <legend>Days of the week</legend>
        {[1, 2, 3, 4, 5, 6, 0].map((day) => (
          <label key={day}>
            <input
              type="checkbox"
              checked={weekend.has(day)}
              onChange={(event) =>
                setWeekend((old) => {
                  const next = new Set(old);
                  if (event.target.checked) next.add(day);
                  else next.delete(day);
                  return next;
                })
              }
            />
            {WEEKDAYS[day]}
          </label>
        ))}
      </fieldset>
      <label className={css.field}>
        <span>Dates, one a line</span>
        <textarea
          className={css.input}
          rows={10}
          value={text}
          spellCheck={false}
          aria-invalid={wrong !== null}
          placeholder={"2026-12-25\n2027-01-01"}
          onChange={(event) => setText(event.target.value)}
        />
      </label>
      <div className={css.field}>
        <label htmlFor={id}>Add the dates of an iCalendar file (.ics)</label>
        <input
          id={id}
          type="file"
          accept=".ics,text/calendar"
          onChange={(event) => {
            const file = event.target.files?.[0];
            if (!file) setIcs(null);
            else if (file.size > LONGEST_ICS) say("a file has at most 1 MB", "bad");
            else void file.text().then((found) => setIcs({ name: file.name, text: found }));
          }}
        />
        {ics && <span>{plain(ics.name)}: its dates are added when you save</span>}
      </div>
    </ActSheet>
  );
}

export function DeleteCalendar({
  project,
  item,
  onClose,
}: {
  project: string;
  item: CalendarItem;
  onClose: () => void;
}) {
  const done = useDone(project, onClose);
  const name = plain(item.name);
  const remove = useMutation({
    mutationFn: () => deleteCalendar(project, item.name),
    onSuccess: () => done(`Deleted ${name}`),
    onError: () => undefined,
  });
  const why =
    item.users > 0
      ? `${plural(item.users, "schedule")} still use it: take it out there first`
      : null;
  return (
    <ActSheet
      title={`Delete ${name}`}
      verb="Delete 1"
      isDanger
      why={why}
      note="This cannot be undone"
      isBusy={remove.isPending}
      error={remove.error}
      onClose={onClose}
      onAct={() => remove.mutate()}
    >
      <p className={css.effect}>Its {plural(item.dates.length, "date")} are forgotten.</p>
    </ActSheet>
  );
}
