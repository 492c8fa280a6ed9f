/** Arguments by parameter name. The rule: what is hidden, cut, redacted or opaque names who can change it. */
import type { ReactNode } from "react";
import type { Param, Preview, Shown } from "../api/types";
import { bytes } from "../ui/format";
import { JsonNode } from "../ui/JsonTree";
import { type Json, readJson } from "../ui/json";
import { Copy } from "../ui/parts";
import { Text } from "../ui/Text";
import css from "./task.module.css";

export const FLAG = { redacted: 1, truncated: 2, opaque: 4, withheld: 8 } as const;

export function isHidden(preview: Preview): preview is { hidden: true } {
  return "hidden" in preview;
}

export function isFull(preview: Preview): boolean {
  return !isHidden(preview) && preview.flags === 0;
}

function sizeOf(text: string): number {
  return new TextEncoder().encode(text).length;
}

export function notesOf(preview: Shown): string[] {
  const notes: string[] = [];
  if (preview.flags & FLAG.redacted) notes.push("redacted by the agent's rules (Z4J_REDACT)");
  if (preview.flags & FLAG.truncated) {
    notes.push(`cut by the agent: ${bytes(sizeOf(preview.text))} of ${bytes(preview.size)}`);
  }
  if (preview.flags & FLAG.opaque)
    notes.push("opaque (pickle): never decoded, shown as the agent described it");
  if (preview.flags & FLAG.withheld) notes.push("withheld by the agent's policy (Z4J_ARGS)");
  return notes;
}

const HIDDEN = "Hidden: your role lacks run.args.read. An admin of the project can grant it.";

function paramAt(params: Param[] | null, index: number): string | null {
  const named = (params ?? []).filter((param) => !/^var|keyword.?only/i.test(param.kind));
  return named[index]?.name ?? null;
}

function Notes({ previews }: { previews: Preview[] }) {
  const notes = new Set(previews.flatMap((one) => (isHidden(one) ? [HIDDEN] : notesOf(one))));
  return [...notes].map((note) => (
    <p key={note} className={css.note}>
      {note}
    </p>
  ));
}

function Raw({ text }: { text: string }) {
  return (
    <pre className={css.raw}>
      <Text value={text} multiline />
    </pre>
  );
}

/** One value: a tree when its text is JSON, else the text. */
export function Value({ preview }: { preview: Preview }) {
  if (isHidden(preview)) return <Notes previews={[preview]} />;
  const parsed = readJson(preview.text);
  const isText =
    parsed.root.kind === "cut" || (!parsed.complete && !(preview.flags & FLAG.truncated));
  return (
    <div className={css.tree}>
      {isText ? <Raw text={preview.text} /> : <JsonNode node={parsed.root} depth={0} />}
      <Notes previews={[preview]} />
    </div>
  );
}

function positional(preview: Preview, params: Param[] | null): ReactNode {
  if (isHidden(preview)) return null;
  const parsed = readJson(preview.text);
  if (parsed.root.kind !== "array") return preview.text ? <Raw text={preview.text} /> : null;
  return parsed.root.items.map((item: Json, at) => {
    const name = paramAt(params, at);
    return <JsonNode key={at} name={name ?? String(at)} node={item} depth={0} />;
  });
}

function named(preview: Preview): ReactNode {
  if (isHidden(preview)) return null;
  const parsed = readJson(preview.text);
  if (parsed.root.kind !== "object") return null;
  return parsed.root.entries.map(([key, value], at) => (
    <JsonNode key={at} name={key} node={value} depth={0} />
  ));
}

type Props = { args: Preview; kwargs: Preview; params: Param[] | null };

export function Args({ args, kwargs, params }: Props) {
  const text =
    isHidden(args) || isHidden(kwargs) ? "" : `args: ${args.text}\nkwargs: ${kwargs.text}`;
  const isNone =
    !isHidden(args) &&
    !isHidden(kwargs) &&
    /^\[\s*\]$/.test(args.text) &&
    /^\{\s*\}$/.test(kwargs.text);
  return (
    <section className={css.section}>
      <h2>args {text && !isNone && <Copy text={text} label="args" />}</h2>
      <div className={css.tree}>
        {isNone ? <span className={css.note}>called without arguments</span> : null}
        {positional(args, params)}
        {named(kwargs)}
        <Notes previews={[args, kwargs]} />
      </div>
    </section>
  );
}
