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

const STEPS: Record<string, string> = {
  key_used: "key used",
  agent_connected: "agent connected",
  definitions: "definitions found",
  first_event: "first event",
  command_ok: "first command acknowledged",
};
const LATE_MS = 20_000;
const SHOWN = 5;

type Way = { id: string; extra: string; code: string; start: string };
/** Only what can be installed: a test compares `extra` with the extras of the package. */
const WAYS: Way[] = [
  {
    id: "Celery worker or beat",
    extra: "celery",
    code: "",
    start: "celery -A yourapp worker",
  },
  {
    id: "App that enqueues",
    extra: "celery",
    code: "# in the module that makes the Celery app\nimport z4j\nz4j.init()\n",
    start: "# then start your app as ever",
  },
];

function blockOf(way: Way, dsn: string, version: string | undefined): string {
  const pin = version ? `==${version}` : "";
  return `pip install 'z4j[${way.extra}]${pin}'\n${way.code}export Z4J_DSN='${dsn}'\n${way.start}`;
}

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

function Tabs({ tab, onTab }: { tab: string; onTab: (id: string) => void }) {
  return (
    <div className={css.tabs} role="tablist" aria-label="your stack">
      {WAYS.map((one) => (
        <button
          key={one.id}
          type="button"
          role="tab"
          aria-selected={one.id === tab}
          className={css.tab}
          onClick={() => onTab(one.id)}
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
  const [tab, setTab] = useState(WAYS[0]?.id ?? "");
  const make = useMutation({ mutationFn: () => createKey(project, "first worker") });
  const way = WAYS.find((one) => one.id === tab) ?? (WAYS[0] as Way);
  const block = blockOf(way, make.data?.dsn ?? data.dsn_hint, version);
  const isDone = data.steps.every((step) => step.done);
  const isHere = data.steps.some((step) => step.id === "agent_connected" && step.done);
  return (
    <div className={css.page}>
      <div className={css.onboard}>
        <h1>{isDone ? "Connected" : "Connect the first worker"}</h1>
        <Tabs tab={tab} onTab={setTab} />
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
