/** The one search field of every page. The rule: what stands in it is what the URL says, and an error names its column. */
import { useNavigate, useRouterState } from "@tanstack/react-router";
import { type KeyboardEvent, useEffect, useId, useMemo, useRef, useState } from "react";
import type { Completion } from "../api/types";
import { useProject, useUrl } from "../shell/search";
import { Icon } from "../ui/Icon";
import { useKeys } from "../ui/keys";
import { Coloured } from "./Coloured";
import { pastQueries, remember } from "./history";
import { ELSEWHERE, listAt, type Searched, wordsAt } from "./places";
import { useQueryProblem } from "./problem";
import css from "./query.module.css";
import { Suggestions } from "./Suggestions";
import { lint } from "./tokenizer";
import { useCompletion } from "./useCompletion";

const TYPING_MS = 140;

function useApply() {
  const project = useProject();
  const { range, set } = useUrl();
  const navigate = useNavigate();
  const path = useRouterState({ select: (state) => state.location.pathname });
  const list = useMemo(() => listAt(path), [path]);
  return {
    list,
    apply: (q: string, isFinal: boolean) => {
      if (isFinal && (!list || list.name === "tasks")) remember(project, q);
      if (list) set({ q: q || undefined, row: undefined }, !isFinal);
      else if (isFinal) {
        void navigate({ to: "/p/$project/tasks", params: { project }, search: { q, range } });
      }
    },
  };
}

function useDraft(q: string, apply: (q: string, isFinal: boolean) => void, list: Searched | null) {
  const [draft, setDraft] = useState(q);
  const [pos, setPos] = useState(0);
  const sent = useRef(q);
  const timer = useRef(0);
  useEffect(() => {
    if (q !== sent.current) {
      sent.current = q;
      setDraft(q);
    }
  }, [q]);
  const send = (value: string, isFinal: boolean) => {
    clearTimeout(timer.current);
    sent.current = value.trim();
    apply(sent.current, isFinal);
  };
  const type = (value: string, at: number) => {
    setDraft(value);
    setPos(at);
    clearTimeout(timer.current);
    const isReady = list && lint(value, list.keys) === null && !/(^|\s)["\w]{1,2}$/.test(value);
    if (isReady) timer.current = window.setTimeout(() => send(value, false), TYPING_MS);
  };
  return { draft, pos, setPos, send, type };
}

function fallback(project: string, draft: string): Completion[] {
  if (draft !== "") return [];
  return pastQueries(project).map((text) => ({
    text,
    kind: "op",
    count: null,
    hint: "searched before",
  }));
}

export function QueryBar() {
  const project = useProject();
  const { q } = useUrl();
  const { apply, list } = useApply();
  const searched = list ?? ELSEWHERE;
  const isOfTasks = searched.name === "tasks";
  const { draft, pos, setPos, send, type } = useDraft(q, apply, list);
  const [isOpen, setOpen] = useState(false);
  const [active, setActive] = useState(-1);
  const input = useRef<HTMLInputElement>(null);
  const back = useRef<HTMLDivElement>(null);
  const id = useId();
  const asked = useCompletion(project, draft, pos, isOpen && isOfTasks);
  const found = useMemo(
    () => (isOfTasks ? asked : wordsAt(searched, draft, pos)),
    [isOfTasks, searched, asked, draft, pos],
  );
  const items = useMemo(
    () => [...(isOfTasks ? fallback(project, draft) : []), ...found.items].slice(0, 14),
    [found, project, draft, isOfTasks],
  );
  const problem = useQueryProblem();
  const hint = draft === q ? null : lint(draft, searched.keys);
  const isWrong = problem !== null && draft.trim() === q;
  const column = isWrong ? problem.column : hint?.isKey ? hint.column : null;

  const keymap = useMemo(
    () => ({
      "/": () => {
        input.current?.focus();
        input.current?.select();
      },
    }),
    [],
  );
  useKeys(keymap);

  const pick = (item: Completion) => {
    const isPast = item.hint === "searched before";
    const [from, to] = isPast ? [0, draft.length] : [found.from, found.to];
    const tail = item.kind === "value" && !/^\s/.test(draft.slice(to)) ? " " : "";
    const next = draft.slice(0, from) + item.text + tail + draft.slice(to);
    const at = from + item.text.length + tail.length;
    setActive(-1);
    type(next, at);
    requestAnimationFrame(() => input.current?.setSelectionRange(at, at));
    if (isPast) send(next, true);
  };

  const pressed = (event: KeyboardEvent<HTMLInputElement>) => {
    const chosen = items[active];
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const by = event.key === "ArrowDown" ? 1 : -1;
      setActive((old) => Math.max(-1, Math.min(items.length - 1, old + by)));
      setOpen(true);
    } else if (
      event.key === "Tab" &&
      isOpen &&
      !event.shiftKey &&
      (chosen ?? (draft && items[0]))
    ) {
      event.preventDefault();
      pick(chosen ?? (items[0] as Completion));
    } else if (event.key === "Enter") {
      if (chosen) pick(chosen);
      else {
        setOpen(false);
        send(draft, true);
      }
    } else if (event.key === "Escape") {
      if (isOpen && items.length > 0) setOpen(false);
      else input.current?.blur();
    }
  };

  return (
    <search className={css.bar}>
      <Icon name="search" />
      <div className={css.field}>
        <div ref={back} className={css.back}>
          <Coloured q={draft} errorColumn={column} />
        </div>
        <input
          ref={input}
          className={css.input}
          value={draft}
          placeholder={searched.hint}
          aria-label={`Search ${searched.name}`}
          role="combobox"
          aria-expanded={isOpen && items.length > 0}
          aria-controls={`${id}-list`}
          aria-activedescendant={active >= 0 ? `${id}-list-${active}` : undefined}
          aria-invalid={isWrong}
          maxLength={1024}
          spellCheck={false}
          autoComplete="off"
          autoCapitalize="off"
          onChange={(event) => {
            setOpen(true);
            setActive(-1);
            type(event.target.value, event.target.selectionStart ?? event.target.value.length);
          }}
          onScroll={(event) => {
            if (back.current) back.current.scrollLeft = event.currentTarget.scrollLeft;
          }}
          onSelect={(event) => setPos(event.currentTarget.selectionStart ?? 0)}
          onFocus={() => setOpen(true)}
          onBlur={() => setOpen(false)}
          onKeyDown={pressed}
        />
      </div>
      {draft ? (
        <button
          type="button"
          className={css.clear}
          aria-label="clear the search"
          onClick={() => type("", 0)}
        >
          <Icon name="close" size={14} />
        </button>
      ) : (
        <kbd>/</kbd>
      )}
      {isOpen && items.length > 0 && (
        <Suggestions id={`${id}-list`} items={items} active={active} onPick={pick} />
      )}
      {(isWrong || hint) && !(isOpen && items.length > 0) && (
        <div role="alert" className={css.problem} data-soft={!isWrong || undefined}>
          <span className={css.column}>
            column {isWrong ? (problem.column ?? 1) : hint?.column}
          </span>
          {isWrong ? problem.detail : hint?.message}
          {isWrong && problem.hint && <span className={css.hint}>{problem.hint}</span>}
          {isWrong && <code className={css.code}>{problem.code}</code>}
        </div>
      )}
    </search>
  );
}
