/** Proof that it is still you. The rule: a refusal for want of one asks for it there, and goes on by itself. */
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { Problem } from "../api/http";
import { stepUp } from "../api/queries";
import { Button } from "./parts";
import css from "./ui.module.css";

function StepUp({ onProven }: { onProven: () => void }) {
  const [password, setPassword] = useState("");
  const prove = useMutation({
    mutationFn: () => stepUp(password),
    onSuccess: () => {
      setPassword("");
      onProven();
    },
  });
  return (
    <form
      className={css.proof}
      onSubmit={(event) => {
        event.preventDefault();
        if (password) prove.mutate();
      }}
    >
      <label>
        <span>Your password again: the last proof is older than 10 minutes</span>
        <input
          type="password"
          autoComplete="current-password"
          value={password}
          aria-invalid={prove.isError}
          onChange={(event) => setPassword(event.target.value)}
        />
      </label>
      <Button type="submit" tone="primary" aria-disabled={!password || prove.isPending}>
        Go on
      </Button>
      {prove.error && <span role="alert">{prove.error.message}</span>}
    </form>
  );
}

/** Why an act was refused, or the field that lets it go on. */
export function Refusal({ error, onAgain }: { error: unknown; onAgain: () => void }) {
  if (!error) return null;
  if (error instanceof Problem && error.code === "auth.step_up")
    return <StepUp onProven={onAgain} />;
  return (
    <p role="alert" className={css.refusal}>
      {error instanceof Error ? error.message : String(error)}
    </p>
  );
}
