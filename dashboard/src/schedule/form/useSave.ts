/** From a draft to a revision. The rule: a save names the revision it was made from; a conflict loads theirs and saves nothing. */
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { Problem } from "../../api/http";
import { createSchedule, editSchedule, readScheduleText } from "../../api/scheduleQueries";
import type { Schedule } from "../../api/types";
import { membersOf } from "../jsonText";
import { bodyOf, changedFields, type Draft, draftOf, patchOf } from "./draft";

export type Saved = { id: string; base: Draft; revision: number };
type Target = { project: string; saved: Saved | null; onSaved: (schedule: Schedule) => void };

export function savedOf(text: string): Saved {
  const members = membersOf(text);
  const id = JSON.parse(members.get("id") ?? '""') as string;
  return { id, base: draftOf(text), revision: Number(members.get("revision")) };
}

export function useSave({ project, saved, onSaved }: Target) {
  const [theirs, setTheirs] = useState<Saved | null>(null);
  const save = useMutation({
    mutationFn: async ({ draft, onto }: { draft: Draft; onto: Saved | null }) => {
      if (!onto) return createSchedule(project, bodyOf(draft));
      const fields = changedFields(onto.base, draft);
      try {
        return await editSchedule(project, onto.id, onto.revision, patchOf(draft, fields));
      } catch (error) {
        if (!(error instanceof Problem) || error.status !== 412) throw error;
        setTheirs(savedOf(await readScheduleText(project, onto.id)));
        return null;
      }
    },
    onSuccess: (schedule) => schedule && onSaved(schedule),
    onError: () => undefined,
  });
  return {
    theirs,
    dropTheirs: () => setTheirs(null),
    error: save.error,
    isBusy: save.isPending,
    /** Save onto what was read first, or onto theirs once a conflict is settled. */
    save: (draft: Draft, onto: Saved | null = saved) => save.mutate({ draft, onto }),
    reset: save.reset,
  };
}
