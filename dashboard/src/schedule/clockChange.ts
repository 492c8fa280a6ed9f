/** When the clocks of a zone change next. The rule: the offset is read from the browser's own zone data, never guessed. */
const DAY_MS = 86_400_000;
const STEP_MS = 7 * DAY_MS;
const FAR_MS = 400 * DAY_MS;

/** Milliseconds that the wall clock of `zone` is ahead of UTC at an instant. */
function offsetReader(zone: string): (at: number) => number {
  const form = new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  });
  return (at) => {
    const part: Record<string, number> = {};
    for (const { type, value } of form.formatToParts(at)) part[type] = Number(value);
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part;
    return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(at / 1000) * 1000;
  };
}

/** The first instant (ms) after `from` at which the offset is another, or null within 400 days. */
export function nextChange(zone: string, from: number): number | null {
  let offset: (at: number) => number;
  try {
    offset = offsetReader(zone);
  } catch {
    return null;
  }
  const start = Math.floor(from / 1000) * 1000;
  for (let low = start; low < start + FAR_MS; low += STEP_MS) {
    const before = offset(low);
    if (offset(low + STEP_MS) === before) continue;
    let same = low;
    let other = low + STEP_MS;
    while (other - same > 1000) {
      const middle = Math.floor((same + other) / 2000) * 1000;
      if (offset(middle) === before) same = middle;
      else other = middle;
    }
    return other;
  }
  return null;
}
