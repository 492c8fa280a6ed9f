/** The frame of a sheet: what will happen, its fields, why the button waits. */
import type { ReactNode } from "react";
import { Overlay } from "../../ui/Overlay";
import css from "../../ui/overlay.module.css";
import { Button } from "../../ui/parts";
import { Refusal } from "../../ui/StepUp";

type Props = {
  title: string;
  verb: string;
  isDanger?: boolean;
  isBusy: boolean;
  /** What is missing, or null when the act can be done. */
  why: string | null;
  note?: string;
  error: unknown;
  wide?: boolean;
  onClose: () => void;
  onAct: () => void;
  children: ReactNode;
};

export function ActSheet(props: Props) {
  const { title, verb, why, note, error, onClose, onAct, children } = props;
  return (
    <Overlay title={title} onClose={onClose} wide={props.wide}>
      <form
        id="act"
        className={css.body}
        onSubmit={(event) => {
          event.preventDefault();
          if (why === null && !props.isBusy) onAct();
        }}
      >
        {children}
      </form>
      <Refusal error={error} onAgain={onAct} />
      <footer className={css.foot}>
        <span>{why ?? note}</span>
        <Button onClick={onClose}>Back</Button>
        <Button
          type="submit"
          form="act"
          tone={props.isDanger ? "danger" : "primary"}
          aria-disabled={why !== null || props.isBusy}
          title={why ?? undefined}
        >
          {verb}
        </Button>
      </footer>
    </Overlay>
  );
}
