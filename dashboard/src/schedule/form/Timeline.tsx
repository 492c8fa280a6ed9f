/** An outage on a line: which slots are lost, which fire when it is over. */
import type { Catchup, Outage } from "../../api/types";
import { count, plural } from "../../ui/format";
import css from "../schedule.module.css";

const WIDTH = 480;
const HEIGHT = 58;
const LEFT = 0.12;
const RIGHT = 0.8;
const AXIS = 40;

type Props = { outage: Outage; slots: number[]; catchup: Catchup };

export function catchupWords(catchup: Catchup): string {
  if (catchup.missed === 0) return "No slot lies in it.";
  const more = catchup.more ? " and more" : "";
  const back = catchup.fires.length;
  const fires = back === 0 ? "none fires" : `${count(back)} ${back === 1 ? "fires" : "fire"}`;
  const lost = catchup.lost === 0 ? "" : `, ${count(catchup.lost)} written down as missed`;
  return `${plural(catchup.missed, "slot")}${more} in it: ${fires} when it is over${lost}.`;
}

export function Timeline({ outage, slots, catchup }: Props) {
  const span = outage.to_ms - outage.from_ms;
  const x = (at: number) => WIDTH * (LEFT + ((at - outage.from_ms) / span) * (RIGHT - LEFT));
  const end = x(outage.to_ms);
  const fired = new Set(catchup.fires);
  const all = [...new Set([...slots.filter((at) => at > outage.from_ms), ...catchup.fires])].sort(
    (a, b) => a - b,
  );
  const text = catchupWords(catchup);
  return (
    <figure className={css.figure}>
      <svg
        className={css.timeline}
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        role="img"
        aria-label={text}
        fontSize="11"
      >
        <rect
          className={css.band}
          x={x(outage.from_ms)}
          y="8"
          width={end - x(outage.from_ms)}
          height={AXIS}
        />
        <line className={css.axis} x1="0" x2={WIDTH} y1={AXIS} y2={AXIS} />
        <text x={x(outage.from_ms) + 4} y="19">
          down
        </text>
        <text x={end + 6} y="19">
          up again
        </text>
        {all.map((at) => {
          const place = x(at);
          if (at > outage.to_ms)
            return place > WIDTH ? null : (
              <circle key={at} className={css.kept} cx={place} cy={AXIS} r="3.4" />
            );
          return fired.has(at) ? (
            <g key={at}>
              <circle className={css.kept} cx={place} cy={AXIS} r="3.4" />
              <path
                className={css.arc}
                d={`M${place} ${AXIS - 4}Q${(place + end) / 2} ${AXIS - 24} ${end} ${AXIS - 3}`}
              />
            </g>
          ) : (
            <circle key={at} className={css.lost} cx={place} cy={AXIS} r="3.2" />
          );
        })}
      </svg>
      <figcaption>{text}</figcaption>
    </figure>
  );
}
