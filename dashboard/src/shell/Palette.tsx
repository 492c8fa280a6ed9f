/** Go anywhere by name: places, definitions, queues, workers, schedules; or search tasks for what was typed. */
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type KeyboardEvent, useMemo, useState } from "react";
import { definitions, queues, workers } from "../api/queries";
import { schedules } from "../api/scheduleQueries";
import { quote } from "../query/tokenizer";
import { Icon, type IconName } from "../ui/Icon";
import { Overlay } from "../ui/Overlay";
import css from "../ui/overlay.module.css";
import { Text } from "../ui/Text";
import { hideOverlay } from "./overlay";
import { PLACES } from "./places";
import { useProject, useUrl } from "./search";

type Entry = { id: string; label: string; kind: string; icon: IconName; go: () => void };

/** True when the letters of `typed` appear in `label` in order. */
export function fits(typed: string, label: string): boolean {
  const text = label.toLowerCase();
  let at = 0;
  for (const letter of typed.toLowerCase().replaceAll(" ", "")) {
    at = text.indexOf(letter, at) + 1;
    if (at === 0) return false;
  }
  return true;
}

function useEntries(typed: string): Entry[] {
  const project = useProject();
  const navigate = useNavigate();
  const { range } = useUrl();
  const defs = useQuery(definitions(project, "", range));
  const lines = useQuery(queues(project));
  const fleet = useQuery(workers(project));
  const times = useQuery(schedules(project, ""));
  return useMemo(() => {
    const params = { project };
    const all: Entry[] = PLACES.map((place) => ({
      id: place.label,
      label: place.label,
      kind: `g ${place.key}`,
      icon: place.icon,
      go: () => void navigate({ to: place.to, params, search: {} }),
    }));
    all.push({
      id: "new schedule",
      label: "New schedule",
      kind: "action",
      icon: "plus",
      go: () => void navigate({ to: "/p/$project/schedules/new", params, search: {} }),
    });
    for (const { engine, name } of defs.data?.items ?? []) {
      all.push({
        id: `d${engine}${name}`,
        label: name,
        kind: "definition",
        icon: "catalog",
        go: () =>
          void navigate({
            to: "/p/$project/catalog/$engine/$name",
            params: { project, engine, name },
            search: {},
          }),
      });
    }
    for (const { engine, name } of lines.data?.items ?? []) {
      all.push({
        id: `q${engine}${name}`,
        label: name,
        kind: "queue",
        icon: "queues",
        go: () =>
          void navigate({
            to: "/p/$project/queues/$engine/$name",
            params: { project, engine, name },
            search: {},
          }),
      });
    }
    for (const { id, name } of fleet.data?.items ?? []) {
      all.push({
        id: `w${id}`,
        label: name,
        kind: "worker",
        icon: "workers",
        go: () =>
          void navigate({ to: "/p/$project/workers/$id", params: { project, id }, search: {} }),
      });
    }
    for (const { id, name } of times.data?.items ?? []) {
      all.push({
        id: `s${id}`,
        label: name,
        kind: "schedule",
        icon: "schedules",
        go: () =>
          void navigate({ to: "/p/$project/schedules/$id", params: { project, id }, search: {} }),
      });
    }
    const found = all.filter((entry) => fits(typed, entry.label)).slice(0, 40);
    if (typed.trim().length > 2) {
      const q = typed.includes(":") ? typed : quote(typed.trim());
      found.push({
        id: "search",
        label: `Search tasks for ${typed}`,
        kind: "search",
        icon: "search",
        go: () => void navigate({ to: "/p/$project/tasks", params, search: { q, range } }),
      });
    }
    return found;
  }, [project, navigate, range, defs.data, lines.data, fleet.data, times.data, typed]);
}

export function Palette() {
  const [typed, setTyped] = useState("");
  const [active, setActive] = useState(0);
  const entries = useEntries(typed);
  const choose = (entry: Entry | undefined) => {
    if (!entry) return;
    hideOverlay();
    entry.go();
  };
  const pressed = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown") setActive((old) => Math.min(entries.length - 1, old + 1));
    else if (event.key === "ArrowUp") setActive((old) => Math.max(0, old - 1));
    else if (event.key === "Enter") choose(entries[active]);
    else return;
    event.preventDefault();
  };
  return (
    <Overlay title="Palette" isBare onClose={hideOverlay}>
      <input
        className={css.paletteInput}
        // biome-ignore lint/a11y/noAutofocus: the palette exists to be typed into
        autoFocus
        role="combobox"
        aria-expanded="true"
        aria-controls="palette-list"
        aria-activedescendant={`palette-${active}`}
        aria-label="Go to"
        placeholder="Go to a page, definition, queue, worker, schedule; or search tasks"
        value={typed}
        onChange={(event) => {
          setTyped(event.target.value);
          setActive(0);
        }}
        onKeyDown={pressed}
      />
      <div id="palette-list" role="listbox" aria-label="places" className={css.paletteList}>
        {entries.map((entry, at) => (
          <button
            key={entry.id}
            id={`palette-${at}`}
            type="button"
            role="option"
            aria-selected={at === active}
            tabIndex={-1}
            className={css.paletteItem}
            onMouseMove={() => setActive(at)}
            onClick={() => choose(entry)}
          >
            <Icon name={entry.icon} />
            <Text value={entry.label} limit={120} />
            <small>{entry.kind}</small>
          </button>
        ))}
      </div>
    </Overlay>
  );
}
