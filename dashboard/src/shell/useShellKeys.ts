/** Keys that work on every page. */
import { useNavigate } from "@tanstack/react-router";
import { useMemo } from "react";
import { useStream } from "../live/context";
import { toggleTimes } from "../ui/clock";
import { type Keymap, useKeys } from "../ui/keys";
import { showKeys, showPalette } from "./overlay";
import { PLACES } from "./places";
import { DEFAULT_RANGE, stepRange, useProject, useUrl } from "./search";

export function useShellKeys(): void {
  const project = useProject();
  const navigate = useNavigate();
  const stream = useStream();
  const { range, set } = useUrl();
  const keymap = useMemo(() => {
    const rangeBy = (by: number) => () => {
      const next = stepRange(range, by);
      set({ range: next === DEFAULT_RANGE ? undefined : next });
    };
    const keys: Keymap = {
      "mod+k": showPalette,
      "?": showKeys,
      t: toggleTimes,
      ".": () => (stream.snapshot().status === "paused" ? stream.resume() : stream.pause()),
      "[": rangeBy(-1),
      "]": rangeBy(1),
    };
    for (const place of PLACES) {
      keys[`g ${place.key}`] = () =>
        void navigate({ to: place.to, params: { project }, search: {} });
    }
    return keys;
  }, [project, navigate, stream, range, set]);
  useKeys(keymap);
}
