/** Keys of agents: made, doubled, retired, revoked. The rule: a secret is shown once and kept nowhere. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Fragment, useState } from "react";
import { createKey, retireKey, revokeKey, rotateKey } from "../api/queries";
import type { Key, NewKey } from "../api/types";
import { count } from "../ui/format";
import { Button, Copy, Tag } from "../ui/parts";
import { Refusal } from "../ui/StepUp";
import { Text } from "../ui/Text";
import { Time } from "../ui/Time";
import css from "./page.module.css";

const DAY_MS = 86_400_000;
const COLUMNS = 6;
const isLive = (row: Key) => !row.retired_at && !row.revoked_at;

export function Secret({ text, label, hint }: { text: string; label: string; hint: string }) {
  return (
    <div className={css.secret} role="status">
      <strong>The {label}, shown only now</strong>
      <div className={css.secretLine}>
        <code data-testid={label.toLowerCase()}>{text}</code>
        <Copy text={text} label={label} />
      </div>
      <span className={css.muted}>{hint}</span>
    </div>
  );
}

function useAct<T>(project: string, act: () => Promise<T>, after?: () => void) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: act,
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: [project, "/keys"] });
      after?.();
    },
  });
}

function consequence(row: Key, isOnly: boolean): string {
  const agents = row.sessions ?? 0;
  if (agents === 1)
    return "1 agent is connected by it and will be refused; it keeps its events until it has the new DSN.";
  if (agents > 1)
    return `${count(agents)} agents are connected by it and will be refused; they keep their events until they have the new DSN.`;
  if (row.last_used_at && Date.now() - row.last_used_at < DAY_MS)
    return "No agent is connected by it now, but it was used within the last day.";
  return isOnly ? "It is the only live number of this key." : "No agent is connected by it.";
}

function RetireRow({ project, row, isOnly, onDone }: RowProps & { onDone: () => void }) {
  const isUsed = (row.sessions ?? 0) > 0;
  const retire = useAct(project, () => retireKey(project, row.cred_id, row.kid, isUsed), onDone);
  return (
    <div className={css.ask}>
      <span>
        Retire number {row.kid}? {consequence(row, isOnly)}
      </span>
      <Button
        tone={isUsed ? "danger" : "primary"}
        onClick={() => retire.mutate()}
        aria-disabled={retire.isPending}
      >
        {isUsed ? "Retire all the same" : "Retire"}
      </Button>
      <Button onClick={onDone}>Keep</Button>
      <Refusal error={retire.error} onAgain={() => retire.mutate()} />
    </div>
  );
}

function RevokeRow({ project, row, onDone }: RowProps & { onDone: () => void }) {
  const revoke = useAct(project, () => revokeKey(project, row.cred_id), onDone);
  return (
    <div className={css.ask}>
      <span>Revoke every number of this key? Its agents are refused at once.</span>
      <Button tone="danger" onClick={() => revoke.mutate()} aria-disabled={revoke.isPending}>
        Revoke
      </Button>
      <Button onClick={onDone}>Keep</Button>
      <Refusal error={revoke.error} onAgain={() => revoke.mutate()} />
    </div>
  );
}

function SecondRow({ project, row, onDone }: RowProps & { onDone: () => void }) {
  const second = useAct(project, () => rotateKey(project, row.cred_id));
  if (second.data)
    return (
      <Secret
        text={second.data.dsn}
        label="DSN"
        hint={`Give it to the agents of this key as Z4J_DSN. Both DSNs work until number ${row.kid} is retired.`}
      />
    );
  return (
    <div className={css.ask}>
      <span>Make a second number with a DSN of its own? The present one goes on working.</span>
      <Button tone="primary" onClick={() => second.mutate()} aria-disabled={second.isPending}>
        Make it
      </Button>
      <Button onClick={onDone}>Not now</Button>
      <Refusal error={second.error} onAgain={() => second.mutate()} />
    </div>
  );
}

type RowProps = { project: string; row: Key; isOnly: boolean };
type Asked = "second" | "retire" | "revoke";
const ASKS = { second: SecondRow, retire: RetireRow, revoke: RevokeRow };

function Acts({ isOnly, onAsk }: { isOnly: boolean; onAsk: (what: Asked) => void }) {
  return (
    <>
      {isOnly && (
        <Button tone="quiet" onClick={() => onAsk("second")}>
          Rotate…
        </Button>
      )}
      <Button tone="quiet" onClick={() => onAsk("retire")}>
        Retire…
      </Button>
      <Button tone="quiet" onClick={() => onAsk("revoke")}>
        Revoke…
      </Button>
    </>
  );
}

function KeyRow({ project, row, isOnly, mayAct }: RowProps & { mayAct: boolean }) {
  const [asked, setAsked] = useState<Asked | null>(null);
  const Ask = asked && ASKS[asked];
  return (
    <Fragment>
      <tr data-kid={row.kid} className={isLive(row) ? "" : css.faint}>
        <td>
          <code>
            <Text value={row.key_id} />
          </code>{" "}
          <span className={css.faint}>no. {row.kid}</span>
        </td>
        <td>
          <Text value={row.label} limit={120} /> {row.role === "scheduler" && <Tag>scheduler</Tag>}
        </td>
        <td className={css.end} data-name="sessions">
          {count(row.sessions)}
        </td>
        <td className={`${css.end} ${css.muted}`} data-name="last used">
          {row.last_used_at ? <Time at={row.last_used_at} form="distance" /> : "never"}
        </td>
        <td className={`${css.end} ${css.muted}`} data-name="created">
          <Time at={row.created_at} form="distance" />
        </td>
        <td className={css.end}>
          {row.revoked_at ? (
            <Tag tone="bad">revoked</Tag>
          ) : row.retired_at ? (
            <Tag>retired</Tag>
          ) : (
            mayAct && <Acts isOnly={isOnly} onAsk={setAsked} />
          )}
        </td>
      </tr>
      {Ask && (
        <tr>
          <td colSpan={COLUMNS} className={css.asked}>
            <Ask project={project} row={row} isOnly={isOnly} onDone={() => setAsked(null)} />
          </td>
        </tr>
      )}
    </Fragment>
  );
}

/** Live ones first; numbers of one key stand together. */
function inOrder(items: Key[]): Key[] {
  const first = new Map<string, number>();
  for (const [at, row] of items.entries()) if (!first.has(row.cred_id)) first.set(row.cred_id, at);
  const place = (row: Key) => (first.get(row.cred_id) ?? 0) * 256 + row.kid;
  return [...items].sort((a, b) => Number(isLive(b)) - Number(isLive(a)) || place(a) - place(b));
}

export function KeyTable({
  project,
  items,
  mayAct,
}: {
  project: string;
  items: Key[];
  mayAct: boolean;
}) {
  if (items.length === 0)
    return <p className={css.faint}>No key yet: create one for the first worker.</p>;
  const live = items.filter(isLive);
  const isOnly = (row: Key) => live.filter((one) => one.cred_id === row.cred_id).length === 1;
  return (
    <div className={css.wrap}>
      <table className={css.table} data-stack>
        <thead>
          <tr>
            <th>key</th>
            <th>label</th>
            <th className={css.end}>sessions</th>
            <th className={css.end}>last used</th>
            <th className={css.end}>created</th>
            <th>
              <span className="sr">acts</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {inOrder(items).map((row) => (
            <KeyRow
              key={`${row.cred_id}.${row.kid}`}
              project={project}
              row={row}
              isOnly={isOnly(row)}
              mayAct={mayAct}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}

type Role = "agent" | "scheduler";
const ROLES: [value: Role, text: string][] = [
  ["agent", "for agents beside workers"],
  ["scheduler", "for a z4j-scheduler"],
];
const HINTS: Record<Role, string> = {
  agent: "Set it as Z4J_DSN where the workers start. Whoever holds it can speak for this project.",
  scheduler:
    "Set it as Z4J_DSN where z4j-scheduler serves. It can lead groups and name slots that are due, nothing else.",
};

export function NewKeyForm({ project }: { project: string }) {
  const [label, setLabel] = useState("");
  const [role, setRole] = useState<Role>("agent");
  const make = useAct<NewKey & { role: Role }>(
    project,
    async () => ({ ...(await createKey(project, label.trim(), role)), role }),
    () => setLabel(""),
  );
  return (
    <>
      <form
        className={css.form}
        onSubmit={(event) => {
          event.preventDefault();
          make.mutate();
        }}
      >
        <input
          className={css.input}
          placeholder="Label: where it will be used"
          aria-label="label"
          value={label}
          onChange={(event) => setLabel(event.target.value)}
        />
        <select
          className={css.input}
          aria-label="role"
          value={role}
          onChange={(event) => setRole(event.target.value as Role)}
        >
          {ROLES.map(([value, text]) => (
            <option key={value} value={value}>
              {text}
            </option>
          ))}
        </select>
        <Button type="submit" tone="primary" icon="plus" aria-disabled={make.isPending}>
          Create key
        </Button>
      </form>
      <Refusal error={make.error} onAgain={() => make.mutate()} />
      {make.data && <Secret text={make.data.dsn} label="DSN" hint={HINTS[make.data.role]} />}
    </>
  );
}
