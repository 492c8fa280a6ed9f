/** What all sheets of schedules do when their button is pressed. The rule: done, it is said, and the page reads afresh. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useMemo } from "react";
import type { Schedule } from "../../api/types";
import { say } from "../../ui/notice";

export type SheetProps = { project: string; schedule: Schedule; onClose: () => void };

/** Read again what an act has changed. */
export function useRefreshed(project: string): () => void {
  const client = useQueryClient();
  return useMemo(
    () => () =>
      void client.invalidateQueries({
        predicate: ({ queryKey }) =>
          queryKey[0] === project && /^\/(schedules|now)/.test(String(queryKey[1])),
      }),
    [client, project],
  );
}

/** An act of a sheet: closes it when done, tells what was done, reads the page afresh. */
export function useAct<T>(
  props: SheetProps,
  act: () => Promise<T>,
  done: string | ((result: T) => string),
) {
  const refreshed = useRefreshed(props.project);
  return useMutation({
    mutationFn: act,
    onSuccess: (result) => {
      say(typeof done === "function" ? done(result) : done);
      refreshed();
      props.onClose();
    },
    onError: () => undefined,
  });
}
