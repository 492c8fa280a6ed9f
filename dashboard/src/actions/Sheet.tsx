/** The sheet before an act. The rule: it shows the brain's preview of the exact targets; its button holds the count. */
import { useMutation, useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { Problem } from "../api/http";
import { bulkPreview, bulkStart } from "../api/queries";
import type { ActionName, BulkPreview, PreviewRequest } from "../api/types";
import { useProject } from "../shell/search";
import { plain } from "../ui/escape";
import { count } from "../ui/format";
import { Overlay } from "../ui/Overlay";
import css from "../ui/overlay.module.css";
import { Button, ErrorView, Skeleton } from "../ui/parts";
import { Refusal } from "../ui/StepUp";
import { EditArgs, useEdit } from "./EditArgs";
import { PreviewView } from "./PreviewView";
import { closeSheet, type SheetRequest, VERB } from "./sheet";
import { addBulk } from "./toasts";

const DANGER: ActionName[] = ["terminate", "purge", "cancel", "restart"];

function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (word) => word.toString(36)).join(
    "",
  );
}

function useStart(project: string) {
  const [key] = useState(newKey);
  return useMutation({
    mutationFn: (body: { preview_id: string; reason?: string; typed?: string }) =>
      bulkStart(project, body, key),
    onSuccess: (bulk) => {
      addBulk(bulk);
      closeSheet();
    },
    onError: () => undefined,
  });
}

type FieldProps = {
  preview: BulkPreview;
  reason: string;
  typed: string;
  setReason: (text: string) => void;
  setTyped: (text: string) => void;
};

function Fields({ preview, reason, typed, setReason, setTyped }: FieldProps) {
  const { needs } = preview;
  return (
    <>
      <label className={css.field}>
        <span>Reason{needs.reason ? "" : " (optional)"}</span>
        <input
          className={css.input}
          value={reason}
          maxLength={500}
          onChange={(event) => setReason(event.target.value)}
          placeholder="kept in the history"
        />
      </label>
      {needs.typed !== null && (
        <label className={css.field}>
          <span>
            Type <code>{plain(needs.typed)}</code> to confirm
          </span>
          <input
            className={css.input}
            value={typed}
            autoComplete="off"
            aria-invalid={typed !== "" && typed !== needs.typed}
            onChange={(event) => setTyped(event.target.value)}
          />
        </label>
      )}
    </>
  );
}

function missing(
  preview: BulkPreview | undefined,
  will: number,
  reason: string,
  typed: string,
): string | null {
  if (!preview) return "Reading what would be touched";
  if (will === 0) return "Nothing would be done";
  if (preview.needs.reason && reason.trim().length < 3)
    return "Give a reason of at least 3 characters";
  if (preview.needs.typed !== null && typed !== preview.needs.typed)
    return "Type the word shown above";
  return null;
}

function requestOf(request: SheetRequest, edited: Record<string, string> | null): PreviewRequest {
  const { title: _, task: __, isMany: ___, ...asked } = request;
  return edited ? { ...asked, params: { ...asked.params, ...edited } } : asked;
}

export function Sheet({ request }: { request: SheetRequest }) {
  const project = useProject();
  const edit = useEdit(request);
  const [reason, setReason] = useState("");
  const [typed, setTyped] = useState("");
  const body = useMemo(() => requestOf(request, edit.params), [request, edit.params]);
  const isReady = request.action !== "retry_edited" || edit.params !== null;
  const { data: preview, error } = useQuery({
    queryKey: [project, "preview", body],
    queryFn: ({ signal }) => bulkPreview(project, body, signal),
    enabled: isReady,
    staleTime: 0,
    gcTime: 0,
    placeholderData: (old) => old,
  });
  const start = useStart(project);
  const will = preview?.per_engine.reduce((sum, one) => sum + one.will, 0) ?? 0;
  const why = missing(preview, will, reason, typed) ?? edit.problem;
  const verb = VERB[request.action];
  const title = request.isMany && preview ? `${count(preview.total)} tasks` : request.title;
  const submit = () => {
    if (preview && why === null) {
      start.mutate({
        preview_id: preview.preview_id,
        reason: reason.trim() || undefined,
        typed: typed || undefined,
      });
    }
  };
  const isStale = start.error instanceof Problem && start.error.code === "bulk.stale_preview";
  return (
    <Overlay
      title={`${verb} ${plain(title)}`}
      onClose={closeSheet}
      wide={request.action === "retry_edited"}
    >
      <form
        className={css.body}
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
        id="sheet"
      >
        {request.action === "retry_edited" && request.task && (
          <EditArgs edit={edit} task={request.task} />
        )}
        {error && <ErrorView error={error} />}
        {!preview && !error && isReady && <Skeleton rows={4} />}
        {preview && <PreviewView preview={preview} />}
        {preview && (
          <Fields
            preview={preview}
            reason={reason}
            typed={typed}
            setReason={setReason}
            setTyped={setTyped}
          />
        )}
        {isStale && (
          <p role="alert" className={css.bad}>
            {start.error?.message} Close the sheet and open it again.
          </p>
        )}
      </form>
      {!isStale && <Refusal error={start.error} onAgain={submit} />}
      <footer className={css.foot}>
        <span>{why ?? "You can undo for 8 s"}</span>
        <Button onClick={closeSheet}>Back</Button>
        <Button
          type="submit"
          form="sheet"
          tone={DANGER.includes(request.action) ? "danger" : "primary"}
          aria-disabled={why !== null || start.isPending}
          title={why ?? undefined}
        >
          {verb} {preview ? count(will) : "…"}
        </Button>
      </footer>
    </Overlay>
  );
}
