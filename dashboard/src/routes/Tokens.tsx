/** Own API tokens for scripts and `z4j top`. The rule: a token does no more than its maker, and is seen once. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { createToken, revokeToken, tokens } from "../api/queries";
import type { ApiToken } from "../api/types";
import { Button, ErrorView } from "../ui/parts";
import { Refusal } from "../ui/StepUp";
import { Text } from "../ui/Text";
import { Time } from "../ui/Time";
import { Secret } from "./Keys";
import css from "./page.module.css";

const LOOKS = ["project.view", "agent.read", "task.read", "queue.read", "worker.read"];
const DAYS = [7, 30, 90, 365];

function useTokenAct<T>(act: () => Promise<T>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: act,
    onSuccess: () => void client.invalidateQueries({ queryKey: ["tokens"] }),
  });
}

function NewToken({ project }: { project: string }) {
  const [label, setLabel] = useState("");
  const [isLook, setLook] = useState(true);
  const [days, setDays] = useState(90);
  const make = useTokenAct(() =>
    createToken({ project, label: label.trim(), days, ...(isLook ? { scopes: LOOKS } : {}) }),
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
          placeholder="Label: what will use it"
          aria-label="token label"
          maxLength={100}
          value={label}
          onChange={(event) => setLabel(event.target.value)}
        />
        <select
          className={css.input}
          aria-label="what it may do"
          value={isLook ? "look" : "act"}
          onChange={(event) => setLook(event.target.value === "look")}
        >
          <option value="look">may look</option>
          <option value="act">may do what I may</option>
        </select>
        <select
          className={css.input}
          aria-label="how long it lasts"
          value={days}
          onChange={(event) => setDays(Number(event.target.value))}
        >
          {DAYS.map((one) => (
            <option key={one} value={one}>
              for {one} days
            </option>
          ))}
        </select>
        <Button type="submit" tone="primary" icon="plus" aria-disabled={make.isPending}>
          Make token
        </Button>
      </form>
      <Refusal error={make.error} onAgain={() => make.mutate()} />
      {make.data && (
        <Secret
          text={make.data.token}
          label="token"
          hint="Set it as Z4J_TOKEN beside Z4J_URL. It acts in your name; purge, terminate and keys are not in it."
        />
      )}
    </>
  );
}

function TokenRow({ row }: { row: ApiToken }) {
  const [isAsked, setAsked] = useState(false);
  const revoke = useTokenAct(() => revokeToken(row.id));
  return (
    <tr data-token={row.id}>
      <td>
        <Text value={row.label} limit={100} /> <code className={css.faint}>{row.id}</code>
      </td>
      <td data-name="project">
        <Text value={row.project} />
      </td>
      <td className={css.muted} title={row.scopes.join("\n")}>
        {row.scopes.length === 1 ? "1 right" : `${row.scopes.length} rights`}
      </td>
      <td className={`${css.end} ${css.muted}`} data-name="last used">
        {row.last_used_at ? <Time at={row.last_used_at} form="distance" /> : "never"}
      </td>
      <td className={`${css.end} ${css.muted}`} data-name="ends">
        <Time at={row.expires_at} form="distance" />
      </td>
      <td className={css.end}>
        {isAsked ? (
          <>
            <Button tone="danger" onClick={() => revoke.mutate()} aria-disabled={revoke.isPending}>
              Revoke now
            </Button>{" "}
            <Button tone="quiet" onClick={() => setAsked(false)}>
              Keep
            </Button>
          </>
        ) : (
          <Button tone="quiet" onClick={() => setAsked(true)}>
            Revoke…
          </Button>
        )}
        <Refusal error={revoke.error} onAgain={() => revoke.mutate()} />
      </td>
    </tr>
  );
}

export function Tokens({ project }: { project: string }) {
  const { data, error } = useQuery(tokens());
  if (error) return <ErrorView error={error} />;
  return (
    <>
      <NewToken project={project} />
      {data?.items.length === 0 && <p className={css.faint}>You have no token.</p>}
      {data && data.items.length > 0 && (
        <div className={css.wrap}>
          <table className={css.table} data-stack>
            <thead>
              <tr>
                <th>token</th>
                <th>project</th>
                <th>may</th>
                <th className={css.end}>last used</th>
                <th className={css.end}>ends</th>
                <th>
                  <span className="sr">acts</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {data.items.map((row) => (
                <TokenRow key={row.id} row={row} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}
