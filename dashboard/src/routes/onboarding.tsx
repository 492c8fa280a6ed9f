/** From nothing to the first task: one block to copy and steps that turn green by themselves. The rule: what was refused is shown with its cause. */
import { useMutation, useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { createKey, me } from "../api/queries";
import type { Onboarding as Data, OnboardingStep, Refused } from "../api/types";
import { useProject } from "../shell/search";
import { Icon } from "../ui/Icon";
import { Button, Copy, ErrorView } from "../ui/parts";
import { Text } from "../ui/Text";
import { Time } from "../ui/Time";
import css from "./page.module.css";
import { blockOf, ENGINES, PLACES } from "./ways";

const STEPS: Record<string, string> = {
  key_used: "key used",
  agent_connected: "agent connected",
  definitions: "definitions found",
  first_event: "first event",
  command_ok: "first command acknowledged",
};
const LATE_MS = 20_000;
const SHOWN = 5;

function useLate(): boolean {
  const [isLate, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), LATE_MS);
    return () => clearTimeout(timer);
  }, []);
  return isLate;
}

function Steps({ steps }: { steps: OnboardingStep[] }) {
  const isLate = useLate();
  const next = steps.find((step) => !step.done)?.id;
  return (
    <ol className={css.steps} aria-label="steps" aria-live="polite">
      {steps.map((step) => (
        <li
          key={step.id}
          className={css.step}
          data-done={step.done || undefined}
          data-late={(isLate && step.id === next) || undefined}
          data-step={step.id}
        >
          <i>{step.done && <Icon name="check" size={10} />}</i>
          <span>
            {STEPS[step.id] ?? step.id}
            <span className="sr">{step.done ? ", done" : ", waiting"}</span>
          </span>
          <span>{(step.done || step.id === next) && <Text value={step.detail} />}</span>
        </li>
      ))}
    </ol>
  );
}

function RefusedList({ items }: { items: Refused[] }) {
  if (items.length === 0) return null;
  return (
    <section aria-label="refused attempts">
      <h2 className={css.refusedHead}>Refused</h2>
      <ul className={css.refused} data-testid="refused">
        {items.slice(0, SHOWN).map((row) => (
          <li key={`${row.at}${row.key_id}${row.from}`}>
            <Icon name="warn" size={14} />
            <span>
              <strong>
                <Text value={row.reason} limit={200} />
              </strong>{" "}
              for key{" "}
              <code>
                <Text value={`${row.key_id.slice(0, 12)}…`} />
              </code>{" "}
              from <Text value={row.from} limit={64} />
            </span>
            <span className={css.faint}>
              <Time at={row.at} form="distance" />
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

type Named = { id: string };

function useChoice<T extends Named>(all: T[]): [T, (id: string) => void] {
  const [id, choose] = useState(all[0]?.id ?? "");
  return [all.find((one) => one.id === id) ?? (all[0] as T), choose];
}

type TabsProps = { label: string; all: Named[]; chosen: Named; onChoose: (id: string) => void };

function Tabs({ label, all, chosen, onChoose }: TabsProps) {
  return (
    <div className={css.tabs} role="tablist" aria-label={label}>
      {all.map((one) => (
        <button
          key={one.id}
          type="button"
          role="tab"
          aria-selected={one === chosen}
          className={css.tab}
          onClick={() => onChoose(one.id)}
        >
          {one.id}
        </button>
      ))}
    </div>
  );
}

export function Onboarding({ data, onLeave }: { data: Data; onLeave: () => void }) {
  const project = useProject();
  const version = useQuery(me()).data?.server?.version;
  const [engine, chooseEngine] = useChoice(ENGINES);
  const [place, choosePlace] = useChoice(PLACES);
  const make = useMutation({ mutationFn: () => createKey(project, "first worker", "agent") });
  const block = blockOf(engine, place, make.data?.dsn ?? data.dsn_hint, version);
  const isDone = data.steps.every((step) => step.done);
  const isHere = data.steps.some((step) => step.id === "agent_connected" && step.done);
  return (
    <div className={css.page}>
      <div className={css.onboard}>
        <h1>{isDone ? "Connected" : "Connect the first worker"}</h1>
        <Tabs label="engine" all={ENGINES} chosen={engine} onChoose={chooseEngine} />
        <Tabs label="where" all={PLACES} chosen={place} onChoose={choosePlace} />
        <div className={css.copyBlock}>
          <pre className={css.block} data-testid="block">
            {block}
          </pre>
          <Copy text={block} label="all lines" />
        </div>
        {!make.data && !isHere && (
          <p className={css.form}>
            <Button
              tone="primary"
              icon="key"
              onClick={() => make.mutate()}
              aria-disabled={make.isPending}
            >
              Create a key and fill in the DSN
            </Button>
            <span className={css.faint}>It is shown once.</span>
          </p>
        )}
        {make.error && <ErrorView error={make.error} onRetry={() => make.mutate()} />}
        <Steps steps={data.steps} />
        <RefusedList items={data.refused} />
        {isHere && (
          <p className={css.form}>
            <Button tone={isDone ? "primary" : undefined} onClick={onLeave}>
              Show the project
            </Button>
          </p>
        )}
      </div>
    </div>
  );
}
