/** Suggestions for the word under the cursor. The rule: the last question asked is the only one answered. */
import { useEffect, useState } from "react";
import { complete } from "../api/queries";
import type { Completions } from "../api/types";

const DEBOUNCE_MS = 60;
const NONE: Completions = { from: 0, to: 0, items: [] };

export function useCompletion(project: string, q: string, pos: number, isOn: boolean): Completions {
  const [found, setFound] = useState<Completions>(NONE);
  useEffect(() => {
    if (!isOn) {
      setFound(NONE);
      return undefined;
    }
    const abort = new AbortController();
    const timer = setTimeout(() => {
      complete(project, q, pos, abort.signal).then(setFound, () => undefined);
    }, DEBOUNCE_MS);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [project, q, pos, isOn]);
  return found;
}
