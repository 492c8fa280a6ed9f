/** Small controls. The rule: a control that cannot be used stays focusable and says why. */
import { useQueryClient } from "@tanstack/react-query";
import { type ButtonHTMLAttributes, type ReactNode, useState } from "react";
import { Problem } from "../api/http";
import { Icon, type IconName } from "./Icon";
import css from "./ui.module.css";

type Tone = "primary" | "danger" | "quiet";
type ButtonProps = ButtonHTMLAttributes<HTMLButtonElement> & { tone?: Tone; icon?: IconName };

export function Button({ tone, icon, children, className, ...rest }: ButtonProps) {
  const isIcon = icon !== undefined && children === undefined;
  return (
    <button
      type="button"
      {...rest}
      className={`${css.button} ${isIcon ? css.icon : ""} ${className ?? ""}`}
      data-tone={tone}
    >
      {icon && <Icon name={icon} />}
      {children}
    </button>
  );
}

function select(text: string): void {
  const area = document.createElement("textarea");
  area.value = text;
  area.setAttribute("aria-label", "copied text");
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

export function copyText(text: string): void {
  // On plain http the clipboard object is absent.
  if (navigator.clipboard) navigator.clipboard.writeText(text).catch(() => select(text));
  else select(text);
}

export function Copy({ text, label }: { text: string; label: string }) {
  const [isDone, setDone] = useState(false);
  return (
    <button
      type="button"
      className={css.copy}
      aria-label={isDone ? "copied" : `copy ${label}`}
      title={isDone ? "copied" : `copy ${label}`}
      onClick={(event) => {
        event.stopPropagation();
        copyText(text);
        setDone(true);
        setTimeout(() => setDone(false), 1200);
      }}
    >
      <Icon name={isDone ? "check" : "copy"} size={14} />
    </button>
  );
}

const NEXT: Record<number, string> = {
  0: "Check that the brain is up, then try again. What is shown may be old.",
  403: "Ask an admin of this project for the role this needs.",
  404: "It may have been deleted, or belong to another project.",
};

export function ErrorView({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const client = useQueryClient();
  const problem =
    error instanceof Problem ? error : new Problem(-1, { title: String(error), code: "ui.error" });
  const again = onRetry ?? (() => void client.refetchQueries({ type: "active" }));
  const report = `${problem.code} ${problem.detail} ${problem.requestId ?? ""}`.trim();
  return (
    <div role="alert" className={css.problem}>
      <strong>{problem.detail}</strong>
      <span>
        {problem.hint ?? NEXT[problem.status] ?? "Try again; if it stays, send the line below."}
      </span>
      <code>{report}</code>
      <div className={css.problemActions}>
        <Button icon="retry" onClick={again}>
          Try again
        </Button>
        <Copy text={report} label="error" />
      </div>
    </div>
  );
}

export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className={css.empty}>
      <strong>{title}</strong>
      {children}
    </div>
  );
}

export function Skeleton({ rows = 12 }: { rows?: number }) {
  return (
    <div aria-hidden="true">
      {Array.from({ length: rows }, (_, at) => (
        <div key={at} className={css.skeleton} />
      ))}
    </div>
  );
}

export function Tag({ children, tone }: { children: ReactNode; tone?: "bad" | "warn" | "good" }) {
  return (
    <span className={css.tag} data-tone={tone}>
      {children}
    </span>
  );
}
