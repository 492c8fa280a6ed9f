/** The form of a schedule. The rule: what it will do stands beside it before it is saved. */
import { Link } from "@tanstack/react-router";
import { lazy, Suspense, useCallback, useEffect, useMemo, useState } from "react";
import type { Schedule } from "../../api/types";
import { Button } from "../../ui/parts";
import { Refusal } from "../../ui/StepUp";
import { zoneOf } from "../When";
import { Advanced } from "./Advanced";
import { changedFields, type Draft, type Fault, missing, viewerZone } from "./draft";
import { FaultLine, FaultsProvider, faultsOf } from "./faults";
import css from "./form.module.css";
import { OptionsPart, PolicyPart } from "./PolicyPart";
import { PreviewPart } from "./PreviewPart";
import { SpecList } from "./SpecEditor";
import { usePreview } from "./usePreview";
import { type Saved, useSave } from "./useSave";
import { definitionOf, useCatalog, WhatPart } from "./WhatPart";
import { ZoneList } from "./ZoneField";

const ConflictSheet = lazy(() =>
  import("./ConflictSheet").then((module) => ({ default: module.ConflictSheet })),
);
const DAY_MS = 86_400_000;

type Props = {
  project: string;
  initial: Draft;
  saved: Saved | null;
  onSaved: (schedule: Schedule) => void;
};

/** Why saving waits, or null. */
function blocked(draft: Draft, saved: Saved | null, faults: Fault[], isUnknown: boolean) {
  const lack = missing(draft);
  if (lack) return lack;
  if (faults.length > 0) return "Correct the marked field";
  if (isUnknown) return "Choose a registered definition, or tick that it is not";
  if (saved && changedFields(saved.base, draft).length === 0) return "Nothing is changed";
  return null;
}

/** Faults that no field on the page shows. */
function Loose({ faults, shown }: { faults: Fault[]; shown: Set<string> }) {
  const loose = faults.filter((fault) => !shown.has(fault.pointer));
  return loose.map((fault) => (
    <p key={fault.pointer} className={css.loose}>
      {fault.pointer && <code>{fault.pointer}</code>} <FaultLine fault={fault} />
    </p>
  ));
}

export function ScheduleForm({ project, initial, saved: opened, onSaved }: Props) {
  // What was read first stays the base, whatever is read later.
  const [saved] = useState(opened);
  const [draft, setDraft] = useState(initial);
  const [isFree, setFree] = useState(saved !== null);
  const [outageMs, setOutage] = useState(DAY_MS);
  const catalog = useCatalog(project);
  const found = usePreview(project, draft, saved?.id ?? null, outageMs);
  const saving = useSave({ project, saved, onSaved });
  const refused = faultsOf(saving.error);
  const faults = refused.length > 0 ? refused : found.faults;
  const [shown] = useState(() => new Set<string>());
  const context = useMemo(() => ({ list: faults, shown }), [faults, shown]);
  const { reset } = saving;
  const set = useCallback(
    (change: Partial<Draft>) => {
      setDraft((old) => ({ ...old, ...change }));
      reset();
    },
    [reset],
  );
  const { places, isReady } = catalog;
  useEffect(() => {
    const live = places.filter((place) => place.why === null);
    const only = live.length === 1 ? live[0] : undefined;
    if (isReady && only) {
      setDraft((old) => (old.engine ? old : { ...old, engine: only.engine, app: only.app }));
    }
  }, [places, isReady]);
  const zone = draft.specs.some((spec) => typeof spec.tz === "string")
    ? zoneOf(draft.specs)
    : viewerZone();
  const isUnknown = !isFree && catalog.isReady && definitionOf(catalog.defs, draft) === undefined;
  const why = blocked(draft, saved, faults, isUnknown);
  const save = () => why === null && !saving.isBusy && saving.save(draft);
  return (
    <FaultsProvider value={context}>
      <ZoneList />
      <form
        onSubmit={(event) => {
          event.preventDefault();
          save();
        }}
      >
        <Loose faults={faults} shown={shown} />
        <div className={css.form}>
          <div>
            <WhatPart
              draft={draft}
              set={set}
              isNew={saved === null}
              isFree={isFree}
              setFree={setFree}
              {...catalog}
            />
            <section className={css.part} data-first>
              <h2>when</h2>
              <SpecList
                specs={draft.specs}
                pointer="/specs"
                zone={zone}
                least={1}
                add="Add another rule"
                onChange={(specs) => set({ specs })}
              />
            </section>
            <Advanced project={project} draft={draft} zone={zone} set={set} />
            <PolicyPart draft={draft} set={set} />
            <OptionsPart draft={draft} set={set} />
          </div>
          <PreviewPart
            project={project}
            id={saved?.id ?? null}
            found={found}
            outageMs={outageMs}
            setOutage={setOutage}
          />
        </div>
        <footer className={css.foot}>
          <span data-bad={refused.length > 0 || undefined}>
            {why ??
              (found.preview?.level.ok === false ? "It is saved, and refused where it fires" : "")}
          </span>
          {refused.length === 0 && <Refusal error={saving.error} onAgain={save} />}
          {saved ? (
            <Link to="/p/$project/schedules/$id" params={{ project, id: saved.id }} search={{}}>
              Cancel
            </Link>
          ) : (
            <Link to="/p/$project/schedules" params={{ project }} search={{}}>
              Cancel
            </Link>
          )}
          <Button
            type="submit"
            tone="primary"
            aria-disabled={why !== null || saving.isBusy}
            title={why ?? undefined}
          >
            {saved ? "Save" : "Create"}
          </Button>
        </footer>
      </form>
      {saving.theirs && saved && (
        <Suspense fallback={null}>
          <ConflictSheet
            base={saved.base}
            yours={draft}
            theirs={saving.theirs.base}
            onClose={saving.dropTheirs}
            onMerged={(merged) => {
              const onto = saving.theirs;
              setDraft(merged);
              saving.dropTheirs();
              saving.save(merged, onto);
            }}
          />
        </Suspense>
      )}
    </FaultsProvider>
  );
}
