/** The next slots, in the schedule's zone and the viewer's side by side. */

import type { NextSlot } from "../api/types";
import { useNow } from "../ui/clock";
import { distance, duration } from "../ui/format";
import { marksOf, wallText } from "./marks";
import css from "./schedule.module.css";

type Props = { slots: NextSlot[]; viewerZone: string };

export function NextSlots({ slots, viewerZone }: Props) {
  const nowMs = useNow();
  if (slots.length === 0) return <p className={css.faint}>No slot is to come.</p>;
  const zones = [...new Set(slots.map((slot) => slot.tz))];
  const isSame = zones.length === 1 && zones[0] === viewerZone;
  const marks = marksOf(slots, viewerZone);
  return (
    <table className={css.slots}>
      <thead>
        <tr>
          <th>{zones.length === 1 ? zones[0] : "its zone"}</th>
          {!isSame && <th>{viewerZone}, yours</th>}
          <th>
            <span className="sr">distance</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {slots.map((slot, at) => (
          <tr key={`${slot.slot_ms}-${at}`} data-note={marks[at]?.length ? true : undefined}>
            <td>
              {wallText(slot.local)}
              {zones.length > 1 && <small> {slot.tz}</small>}
              {marks[at]?.map((mark) => (
                <div key={mark} className={css.why}>
                  {mark}
                </div>
              ))}
            </td>
            {!isSame && <td>{wallText(slot.viewer_local)}</td>}
            <td className={css.faint}>
              {distance(slot.slot_ms, nowMs)}
              {slot.due_ms > slot.slot_ms && (
                <> · due {duration((slot.due_ms - slot.slot_ms) * 1000)} later</>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
