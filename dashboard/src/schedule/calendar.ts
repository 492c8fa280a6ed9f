/** Days off as texts and back. The rule: a line that is no date is named, never dropped. */
export const WEEKDAYS = [
  "Sunday",
  "Monday",
  "Tuesday",
  "Wednesday",
  "Thursday",
  "Friday",
  "Saturday",
] as const;

/** `Fri 2026-12-25`. */
export function dayWords(day: string): string {
  const name = WEEKDAYS[new Date(`${day}T00:00:00Z`).getUTCDay()] ?? "";
  return `${name.slice(0, 3)} ${day}`;
}

/** `Saturday and Sunday`. */
export function weekendWords(weekend: number[]): string {
  const names = [...weekend].sort((a, b) => ((a + 6) % 7) - ((b + 6) % 7)).map((n) => WEEKDAYS[n]);
  return names.length < 2
    ? (names[0] ?? "")
    : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

export type Dates = { dates: string[]; wrong: string | null };

/** Dates of a text, one or several a line; `wrong` is the first word that is none. */
export function datesOf(text: string): Dates {
  const words = text.split(/[\s,;]+/).filter(Boolean);
  const isDate = (word: string) => {
    const at = Date.parse(`${word}T00:00:00Z`);
    return (
      /^\d{4}-\d{2}-\d{2}$/.test(word) &&
      !Number.isNaN(at) &&
      new Date(at).toISOString().startsWith(word)
    );
  };
  const wrong = words.find((word) => !isDate(word)) ?? null;
  return { dates: [...new Set(words.filter(isDate))].sort(), wrong };
}
