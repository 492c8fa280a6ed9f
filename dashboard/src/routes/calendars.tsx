/** Days off by name, who uses them and what they stop next; and the windows in which schedules do not fire. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { lazy, Suspense, useState } from "react";
import { closed } from "../api/scheduleQueries";
import type { CalendarItem, CalendarUser, ClosedWindow } from "../api/types";
import { dayWords, weekendWords } from "../schedule/calendar";
import { Head } from "../schedule/Head";
import { wallText } from "../schedule/marks";
import own from "../schedule/places.module.css";
import { useProject } from "../shell/search";
import { brainNow } from "../ui/clock";
import { plain } from "../ui/escape";
import { count, duration, moment, plural } from "../ui/format";
import { Button, Empty, ErrorView, Skeleton, Tag } from "../ui/parts";
import { Text } from "../ui/Text";
import { Time } from "../ui/Time";
import css from "./page.module.css";

const CalendarSheet = lazy(() =>
  import("../schedule/CalendarSheet").then((m) => ({ default: m.CalendarSheet })),
);
const DeleteCalendar = lazy(() =>
  import("../schedule/CalendarSheet").then((m) => ({ default: m.DeleteCalendar })),
);
const ON_HIT: Record<string, string> = {
  skip: "skips the slot",
  next_business_day: "moves it to the next business day",
  previous_business_day: "moves it to the business day before",
};
const SHOWN = 12;

function User({ project, user }: { project: string; user: CalendarUser }) {
  return (
    <li>
      <Link to="/p/$project/schedules/$id" params={{ project, id: user.id }} search={{}}>
        <Text value={user.name} limit={200} />
      </Link>{" "}
      <span className={css.muted}>{ON_HIT[user.on_hit] ?? user.on_hit}</span>
      {!user.enabled && (
        <>
          {" "}
          <Tag>disabled</Tag>
        </>
      )}
      {user.hits.length > 0 && (
        <span className={css.muted}>
          {": next "}
          {user.hits
            .map((hit) =>
              hit.slots > 1
                ? `${dayWords(hit.day)} (${hit.more ? "over " : ""}${plural(hit.slots, "slot")})`
                : wallText(hit.local),
            )
            .join(", ")}
        </span>
      )}
      {user.enabled && user.hits.length === 0 && (
        <span className={css.faint}>: no slot on a day off in 400 days</span>
      )}
    </li>
  );
}

type CalendarProps = { project: string; item: CalendarItem; edit: () => void; remove: () => void };

function Calendar({ project, item, edit, remove }: CalendarProps) {
  const today = new Date(brainNow()).toISOString().slice(0, 10);
  const coming = item.dates.filter((day) => day >= today);
  const name = plain(item.name);
  return (
    <section className={own.calendar} data-calendar={item.name}>
      <div className={own.driftHead}>
        <span>
          <Text value={item.name} limit={200} />
        </span>
        <span className={css.muted}>
          {plural(item.dates.length, "date")}
          {item.past > 0 && `, ${count(item.past)} past`}
          {item.weekend.length > 0 && ` · every ${weekendWords(item.weekend)}`}
        </span>
        <span className={css.gap} />
        <Button icon="edit" aria-label={`edit ${name}`} onClick={edit}>
          Edit
        </Button>
        <Button tone="quiet" icon="trash" aria-label={`delete ${name}`} onClick={remove} />
      </div>
      {coming.length > 0 && (
        <div className={own.dates}>
          {coming.slice(0, SHOWN).map((day) => (
            <time key={day} dateTime={day}>
              {dayWords(day)}
            </time>
          ))}
          {coming.length > SHOWN && (
            <span className={css.faint}>and {count(coming.length - SHOWN)} more</span>
          )}
        </div>
      )}
      {coming.length === 0 && item.weekend.length === 0 && (
        <p className={css.warn}>No day off is to come: add the dates of the next year.</p>
      )}
      {item.users === 0 ? (
        <p className={css.faint}>No schedule uses it.</p>
      ) : (
        <ul className={own.hits} aria-label={`schedules that use ${name}`}>
          {item.used_by.map((user) => (
            <User key={`${user.id}${user.on_hit}`} project={project} user={user} />
          ))}
          {item.users > item.used_by.length && (
            <li className={css.faint}>and {count(item.users - item.used_by.length)} more</li>
          )}
        </ul>
      )}
    </section>
  );
}

function ruleOf({ cron, tz, duration_s: length }: ClosedWindow["window"]): string {
  if (typeof cron !== "string") return "once";
  return `${cron} ${String(tz)}, ${duration(Number(length) * 1e6)} each`;
}

function Windows({ project, windows }: { project: string; windows: ClosedWindow[] }) {
  return (
    <div className={css.wrap}>
      <table className={css.table} data-stack>
        <thead>
          <tr>
            <th>schedule</th>
            <th>closed from</th>
            <th>until</th>
            <th>what is due then</th>
            <th>rule</th>
          </tr>
        </thead>
        <tbody>
          {windows.map((one, at) => (
            <tr key={`${one.id}${at}`}>
              <td className={css.name}>
                <Link
                  to="/p/$project/schedules/$id/edit"
                  params={{ project, id: one.id }}
                  search={{}}
                  title="edit this schedule"
                >
                  <Text value={one.name} limit={200} />
                </Link>{" "}
                {!one.enabled && <Tag>disabled</Tag>}
              </td>
              <td>
                {one.from_ms === null ? "never again" : moment(one.from_ms)}{" "}
                {one.from_ms !== null && (
                  <span className={css.faint}>
                    <Time at={one.from_ms} form="distance" />
                  </span>
                )}
              </td>
              <td className={css.muted}>{one.to_ms !== null && moment(one.to_ms)}</td>
              <td className={css.muted}>
                {one.action === "defer" ? "waits for its end" : "is dropped"}
              </td>
              <td className={css.muted}>
                <Text value={ruleOf(one.window)} limit={200} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

type Open = { kind: "edit"; item: CalendarItem | null } | { kind: "delete"; item: CalendarItem };

export function CalendarsPage() {
  const project = useProject();
  const { data, error } = useQuery(closed(project));
  const [open, setOpen] = useState<Open | null>(null);
  const close = () => setOpen(null);
  return (
    <div className={css.page}>
      <Head project={project} here="Calendars">
        <span className={css.gap} />
        <Button icon="plus" onClick={() => setOpen({ kind: "edit", item: null })}>
          New calendar
        </Button>
      </Head>
      {error && !data && <ErrorView error={error} />}
      {!data && !error && <Skeleton rows={6} />}
      {data?.items.length === 0 && (
        <Empty title="No calendar yet">
          <p>
            A calendar is a set of days off. A schedule that uses it skips the slots on them, or
            moves them to the business day before or after.
          </p>
        </Empty>
      )}
      {data?.items.map((item) => (
        <Calendar
          key={item.name}
          project={project}
          item={item}
          edit={() => setOpen({ kind: "edit", item })}
          remove={() => setOpen({ kind: "delete", item })}
        />
      ))}
      {data && data.windows.length > 0 && (
        <section className={css.section}>
          <h2>windows in which schedules do not fire</h2>
          <Windows project={project} windows={data.windows} />
          {data.more_windows && <p className={css.faint}>Only the next 200 are shown.</p>}
        </section>
      )}
      <Suspense fallback={null}>
        {open?.kind === "edit" && (
          <CalendarSheet project={project} item={open.item} onClose={close} />
        )}
        {open?.kind === "delete" && (
          <DeleteCalendar project={project} item={open.item} onClose={close} />
        )}
      </Suspense>
    </div>
  );
}
