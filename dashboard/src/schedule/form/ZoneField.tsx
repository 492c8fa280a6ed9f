/** A time zone by its IANA key, with the time it is there now. */
import { useNow } from "../../ui/clock";
import { TextField } from "./faults";

export const ZONES_ID = "zones";
const known: string[] =
  typeof Intl.supportedValuesOf === "function" ? Intl.supportedValuesOf("timeZone") : [];
const ZONES = ["UTC", ...known.filter((zone) => zone !== "UTC")];

/** The list that all zone fields of a page share. */
export function ZoneList() {
  return (
    <datalist id={ZONES_ID}>
      {ZONES.map((zone) => (
        <option key={zone} value={zone} />
      ))}
    </datalist>
  );
}

/** The wall time of a zone, or null where the browser does not know it. */
export function wallOf(zone: string, at: number): string | null {
  try {
    return new Intl.DateTimeFormat("en-GB", {
      timeZone: zone,
      weekday: "short",
      hour: "2-digit",
      minute: "2-digit",
      timeZoneName: "short",
    }).format(at);
  } catch {
    return null;
  }
}

type Props = { pointer: string; value: string; onChange: (zone: string) => void; label?: string };

export function ZoneField({ pointer, value, onChange, label = "time zone" }: Props) {
  const wall = wallOf(value, useNow());
  return (
    <TextField
      label={label}
      pointer={pointer}
      value={value}
      list={ZONES_ID}
      placeholder="Europe/Madrid"
      onChange={onChange}
      note={wall ? `now ${wall} there` : undefined}
    />
  );
}
