/** A value as a typed tree. The rule: integers keep every digit, and what was cut says so. */
import { useState } from "react";
import { plural } from "./format";
import { Icon } from "./Icon";
import { type Json, oneLine } from "./json";
import css from "./json.module.css";
import { Text } from "./Text";

type NodeProps = { name?: string; note?: string; node: Json; depth: number };

const OPEN_DEPTH = 2;
const LONG = 400;

function StringLeaf({ text }: { text: string }) {
  const [isWhole, setWhole] = useState(false);
  const isLong = text.length > LONG && !isWhole;
  return (
    <span className={css.string}>
      "<Text value={isLong ? text.slice(0, LONG) : text} />
      {isLong ? (
        <button type="button" className={css.more} onClick={() => setWhole(true)}>
          … all {plural(text.length, "character")}
        </button>
      ) : (
        '"'
      )}
    </span>
  );
}

function Leaf({ node }: { node: Json }) {
  if (node.kind === "string") return <StringLeaf text={node.text} />;
  if (node.kind === "number") return <span className={css.number}>{node.text}</span>;
  if (node.kind === "word") return <span className={css.word}>{node.text}</span>;
  if (node.kind === "cut") return <span className={css.cut}>… cut here</span>;
  return <span className={css.cut}>{node.kind === "array" ? "[]" : "{}"}</span>;
}

function childrenOf(node: Json): [string, Json][] {
  if (node.kind === "object") return node.entries;
  if (node.kind === "array") return node.items.map((item, at) => [String(at), item]);
  return [];
}

export function JsonNode({ name, note, node, depth }: NodeProps) {
  const children = childrenOf(node);
  const [isOpen, setOpen] = useState(depth < OPEN_DEPTH && children.length <= 60);
  const label = (
    <>
      {name !== undefined && (
        <span className={css.key}>
          <Text value={name} limit={256} />
        </span>
      )}
      {note && <span className={css.note}>{note}</span>}
    </>
  );
  if (children.length === 0) {
    return (
      <div className={css.line}>
        <span className={css.twist} />
        {label}
        <Leaf node={node} />
      </div>
    );
  }
  return (
    <div>
      <div className={css.line}>
        <button
          type="button"
          className={css.twist}
          aria-expanded={isOpen}
          aria-label={`${name ?? "value"}, ${children.length} inside`}
          onClick={() => setOpen(!isOpen)}
        >
          <Icon name={isOpen ? "down" : "right"} size={12} />
        </button>
        {label}
        {isOpen ? (
          <span className={css.cut}>
            {node.kind === "array"
              ? plural(children.length, "item")
              : plural(children.length, "key")}
          </span>
        ) : (
          <span className={css.summary}>
            <Text value={oneLine(node)} />
          </span>
        )}
      </div>
      {isOpen && (
        <div className={css.children}>
          {children.map(([key, child], at) => (
            <JsonNode key={at} name={key} node={child} depth={depth + 1} />
          ))}
        </div>
      )}
    </div>
  );
}
