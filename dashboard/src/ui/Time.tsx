/** An instant: relative, absolute on hover and after `t`. */
import { useAbsoluteTimes, useNow } from "./clock";
import { absolute, age, clock, DASH, distance, moment } from "./format";

type Props = { at: number | null | undefined; form?: "age" | "distance" };

export function Time({ at, form = "age" }: Props) {
  const nowMs = useNow();
  const isAbsolute = useAbsoluteTimes();
  if (at === null || at === undefined) return <span>{DASH}</span>;
  const isToday = Math.abs(nowMs - at) < 86_400_000;
  const written = isAbsolute ? (isToday ? clock(at) : moment(at)) : null;
  return (
    <time dateTime={new Date(at).toISOString()} title={absolute(at)}>
      {written ?? (form === "age" ? age(at, nowMs) : distance(at, nowMs))}
    </time>
  );
}
