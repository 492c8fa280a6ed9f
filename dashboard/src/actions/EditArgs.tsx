/** Arguments as JSON text. The rule: prefilled only from a full preview, sent as text so that no digit is lost. */
import { useMemo, useState } from "react";
import type { Preview, TaskDetail } from "../api/types";
import { isFull, isHidden } from "../task/Args";
import { readJson } from "../ui/json";
import css from "../ui/overlay.module.css";
import type { SheetRequest } from "./sheet";

const MAX_BYTES = 65_536;

function prefill(preview: Preview | undefined, empty: string): string {
  if (!preview || isHidden(preview) || !isFull(preview)) return empty;
  return preview.text || empty;
}

function faultOf(text: string, kind: "array" | "object"): string | null {
  const parsed = readJson(text);
  if (!parsed.complete) return `not valid JSON`;
  return parsed.root.kind === kind ? null : `must be a JSON ${kind}`;
}

export type Edit = {
  args: string;
  kwargs: string;
  queue: string;
  argsFault: string | null;
  kwargsFault: string | null;
  problem: string | null;
  params: Record<string, string> | null;
  set: (change: Partial<Pick<Edit, "args" | "kwargs" | "queue">>) => void;
};

export function useEdit({ action, task }: SheetRequest): Edit {
  const [form, setForm] = useState(() => ({
    args: prefill(task?.args, "[]"),
    kwargs: prefill(task?.kwargs, "{}"),
    queue: task?.queue ?? "",
  }));
  return useMemo(() => {
    const set: Edit["set"] = (change) => setForm((old) => ({ ...old, ...change }));
    const argsFault = faultOf(form.args, "array");
    const kwargsFault = faultOf(form.kwargs, "object");
    const isLong = new TextEncoder().encode(form.args + form.kwargs).length > MAX_BYTES;
    const isEdit = action === "retry_edited" && task !== undefined;
    const fault = argsFault ? `args: ${argsFault}` : kwargsFault ? `kwargs: ${kwargsFault}` : null;
    const problem = isEdit ? (fault ?? (isLong ? "Arguments are larger than 64 KiB" : null)) : null;
    const params =
      isEdit && problem === null
        ? {
            engine: task.engine,
            app: task.app,
            task: task.task,
            args: form.args,
            kwargs: form.kwargs,
            ...(form.queue ? { queue: form.queue } : {}),
          }
        : null;
    return { ...form, argsFault, kwargsFault, problem, params, set };
  }, [form, action, task]);
}

function Diff({ before, after }: { before: string; after: string }) {
  if (before === after) return null;
  return (
    <span className={css.warn}>
      changed, {before.length} → {after.length} characters
    </span>
  );
}

export function EditArgs({ edit, task }: { edit: Edit; task: TaskDetail }) {
  const isPartial = !isFull(task.args) || !isFull(task.kwargs);
  const names = (task.params ?? []).map((param) => param.name).join(", ");
  return (
    <>
      {isPartial && (
        <p className={css.warn}>
          The kept arguments are not complete, so the form starts empty. Parameters:{" "}
          {names || "unknown"}.
        </p>
      )}
      <label className={css.field}>
        <span>
          args, a JSON array {names && `(${names})`}{" "}
          <Diff before={prefill(task.args, "[]")} after={edit.args} />
        </span>
        <textarea
          className={css.input}
          value={edit.args}
          spellCheck={false}
          aria-invalid={edit.argsFault !== null}
          onChange={(event) => edit.set({ args: event.target.value })}
        />
      </label>
      <label className={css.field}>
        <span>
          kwargs, a JSON object <Diff before={prefill(task.kwargs, "{}")} after={edit.kwargs} />
        </span>
        <textarea
          className={css.input}
          value={edit.kwargs}
          spellCheck={false}
          aria-invalid={edit.kwargsFault !== null}
          onChange={(event) => edit.set({ kwargs: event.target.value })}
        />
      </label>
      <label className={css.field}>
        <span>queue</span>
        <input
          className={css.input}
          value={edit.queue}
          onChange={(event) => edit.set({ queue: event.target.value })}
        />
      </label>
    </>
  );
}
