/** Numbers and times as people read them. The rule: three significant digits, a unit always, "—" for unknown. */
export const DASH = "—";

const STEPS: [limit: number, size: number, unit: string][] = [
  [1e3, 1, "µs"],
  [1e6, 1e3, "ms"],
  [60e6, 1e6, "s"],
];

function digits(value: number): string {
  if (value >= 99.95) return String(Math.round(value));
  if (value >= 9.995) return value.toFixed(1).replace(/\.0$/, "");
  return value.toFixed(2).replace(/\.?0+$/, "");
}

/** Duration in microseconds: `184 ms`, `1.2 s`, `2 m 05 s`, `3 h 12 m`. */
export function duration(us: number | null | undefined): string {
  if (us === null || us === undefined) return DASH;
  if (us === 0) return "0 s";
  const size = Math.max(0, us);
  for (const [limit, unit, name] of STEPS) {
    if (size < limit * 0.9995) return `${digits(size / unit)} ${name}`;
  }
  return longDuration(Math.round(size / 1e6));
}

function longDuration(seconds: number): string {
  const two = (n: number) => String(n).padStart(2, "0");
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m ${two(seconds % 60)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 1440) return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} m`;
  const hours = Math.round(minutes / 60);
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** Distance between two instants (ms): `now`, `41 s`, `2 min`, `3 h`, `5 d`. */
export function age(at: number | null | undefined, nowMs: number): string {
  if (at === null || at === undefined) return DASH;
  const seconds = Math.max(0, Math.round((nowMs - at) / 1000));
  if (seconds < 1) return "now";
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

/** `in 41 s` for what is to come, `41 s ago` for what was. */
export function distance(at: number | null, nowMs: number): string {
  if (at === null) return DASH;
  if (at > nowMs + 500) return `in ${age(nowMs - (at - nowMs), nowMs)}`;
  const past = age(at, nowMs);
  return past === "now" ? past : `${past} ago`;
}

const grouped = new Intl.NumberFormat("en-US");

export function count(value: number | null | undefined): string {
  return value === null || value === undefined ? DASH : grouped.format(value);
}

/** A Num: exact with separators, else `≈ 1.2 M`. */
export function num(n: { value: number; approx: boolean }): string {
  return n.approx ? `≈ ${short(n.value)}` : count(n.value);
}

export function short(value: number): string {
  if (value < 10_000) return count(Math.round(value));
  if (value < 1e6) return `${digits(value / 1e3)} k`;
  if (value < 1e9) return `${digits(value / 1e6)} M`;
  return `${digits(value / 1e9)} G`;
}

export function rate(perS: number | null | undefined): string {
  if (perS === null || perS === undefined) return DASH;
  return perS === 0 ? "0" : digits(perS);
}

export function percent(value: number | null | undefined): string {
  if (value === null || value === undefined) return DASH;
  if (value === 0) return "0 %";
  return value < 0.1 ? "< 0.1 %" : `${digits(Math.round(value * 10) / 10)} %`;
}

export function bytes(n: number | null | undefined): string {
  if (n === null || n === undefined) return DASH;
  if (n < 1024) return `${n} B`;
  if (n < 1024 ** 2) return `${digits(n / 1024)} KiB`;
  if (n < 1024 ** 3) return `${digits(n / 1024 ** 2)} MiB`;
  return `${digits(n / 1024 ** 3)} GiB`;
}

const clockOf = new Intl.DateTimeFormat("en-GB", {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
});
const dayOf = new Intl.DateTimeFormat("en-GB", { day: "2-digit", month: "short" });

export function clock(at: number): string {
  return clockOf.format(at);
}

export function day(at: number): string {
  return dayOf.format(at);
}

export function moment(at: number): string {
  return `${dayOf.format(at)} ${clockOf.format(at)}`;
}

/** Both zones for a hover: the viewer's and UTC. */
export function absolute(at: number | null | undefined): string {
  if (at === null || at === undefined) return "unknown";
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const utc = new Date(at).toISOString().replace("T", " ").replace("Z", " UTC");
  return `${moment(at)} ${zone}\n${utc}`;
}

export function drain(s: number | "never" | null): string {
  if (s === null) return DASH;
  return s === "never" ? "never" : duration(s * 1e6);
}

export function shortId(id: string): string {
  return id.length > 8 ? id.slice(0, 8) : id;
}

export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}

/** How an agent came here: requests where no WebSocket gets through. */
export function wayOf(transport: string | null | undefined): string {
  if (transport === "poll") return "HTTPS requests";
  return transport === "websocket" ? "WebSocket" : DASH;
}
