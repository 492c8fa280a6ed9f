/** What the draft would do, before it is saved. */
import { ErrorView, Skeleton } from "../../ui/parts";
import { Text } from "../../ui/Text";
import { AroundChange } from "../AroundChange";
import { NextSlots } from "../NextSlots";
import { bodyOf, viewerZone } from "./draft";
import css from "./form.module.css";
import { Timeline } from "./Timeline";
import { asked, type usePreview } from "./usePreview";

const HOUR_MS = 3_600_000;
export const OUTAGES: [ms: number, label: string][] = [
  [HOUR_MS, "1 hour"],
  [6 * HOUR_MS, "6 hours"],
  [24 * HOUR_MS, "1 day"],
  [7 * 24 * HOUR_MS, "7 days"],
  [30 * 24 * HOUR_MS, "30 days"],
];

type Props = {
  project: string;
  id: string | null;
  found: ReturnType<typeof usePreview>;
  outageMs: number;
  setOutage: (ms: number) => void;
};

function CatchupPart({
  found,
  outageMs,
  setOutage,
}: Pick<Props, "found" | "outageMs" | "setOutage">) {
  return (
    <>
      <h3>
        <label>
          if all were down for{" "}
          <select value={outageMs} onChange={(event) => setOutage(Number(event.target.value))}>
            {OUTAGES.map(([ms, label]) => (
              <option key={ms} value={ms}>
                {label}
              </option>
            ))}
          </select>
        </label>
      </h3>
      {found.outage && found.catchup ? (
        <Timeline outage={found.outage} slots={found.slots} catchup={found.catchup} />
      ) : (
        <p className={css.note}>Nothing to come that an outage could miss.</p>
      )}
    </>
  );
}

export function PreviewPart(props: Props) {
  const { project, id } = props;
  const { preview, isOld, error, faults, draft: shown } = props.found;
  return (
    <aside className={css.preview} aria-label="preview" data-old={isOld || undefined}>
      <h2>preview</h2>
      {error && <ErrorView error={error} />}
      {!preview && !error && faults.length === 0 && <Skeleton rows={8} />}
      {!preview && faults.length > 0 && (
        <p className={css.note}>Shown once the marked fields can be read.</p>
      )}
      {preview && (
        <>
          <p className={css.words} aria-live="polite">
            <Text value={preview.words} />
          </p>
          {preview.warnings.map((one) => (
            <p key={one.code + one.text} className={css.warn} role="status">
              <Text value={one.text} /> <code>{one.code}</code>
            </p>
          ))}
          <NextSlots slots={preview.next} viewerZone={viewerZone()} />
          <AroundChange
            project={project}
            next={preview.next}
            viewerZone={viewerZone()}
            bodyFrom={(start, n) => bodyOf({ ...shown, start_at: start }, asked(id, n, null))}
          />
          <CatchupPart {...props} />
          <p className={preview.level.ok ? css.note : css.warn}>
            Its agents must permit <code>{preview.level.needs}</code>
            {preview.level.ok ? ": they do." : "."}{" "}
            {!preview.level.ok && preview.level.fix && <Text value={preview.level.fix} />}
          </p>
        </>
      )}
    </aside>
  );
}
