/** The family of a task as a graph: drag pans, the wheel zooms, fits on open. */
import { type PointerEvent, useMemo, useRef, useState } from "react";
import type { Flow, FlowNode } from "../api/types";
import { plain } from "../ui/escape";
import { shortId } from "../ui/format";
import { StateIcon } from "../ui/StateIcon";
import css from "./charts.module.css";
import { placeFlow } from "./layout";

const W = 190;
const H = 40;
const GAP_X = 46;
const GAP_Y = 12;
type View = { x: number; y: number; w: number; h: number };
type Props = { flow: Flow; here: string; onOpen: (ref: string) => void };

function cut(text: string, size: number): string {
  const shown = plain(text);
  return shown.length > size ? `…${shown.slice(-size + 1)}` : shown;
}

function Node({
  node,
  x,
  y,
  isHere,
  onOpen,
}: {
  node: FlowNode;
  x: number;
  y: number;
  isHere: boolean;
  onOpen: Props["onOpen"];
}) {
  return (
    <g
      transform={`translate(${x} ${y})`}
      role="link"
      tabIndex={0}
      aria-label={`${plain(node.task)}, ${node.engine}, ${node.state}`}
      data-here={isHere || undefined}
      onClick={() => onOpen(node.ref)}
      onKeyDown={(event) => event.key === "Enter" && onOpen(node.ref)}
    >
      <title>{plain(node.task)}</title>
      <rect width={W} height={H} rx="6" />
      <foreignObject x="8" y="11" width="18" height="18">
        <StateIcon state={node.state} />
      </foreignObject>
      <text x="30" y="17">
        {cut(node.task, 24)}
      </text>
      <text x="30" y="32" data-minor>
        {shortId(plain(node.id))} {node.state} · {node.engine}
      </text>
    </g>
  );
}

export function FlowGraph({ flow, here, onOpen }: Props) {
  const placed = useMemo(
    () =>
      placeFlow(
        flow.nodes.map((node) => node.ref),
        flow.edges,
      ),
    [flow],
  );
  const at = new Map(
    placed.map((one) => [one.ref, { x: one.column * (W + GAP_X), y: one.line * (H + GAP_Y) }]),
  );
  const columns = Math.max(1, ...placed.map((one) => one.column + 1));
  const lines = Math.max(1, ...placed.map((one) => one.line + 1));
  const fit: View = {
    x: -8,
    y: -8,
    w: Math.max(480, columns * (W + GAP_X) - GAP_X + 16),
    h: lines * (H + GAP_Y) - GAP_Y + 16,
  };
  const [view, setView] = useState(fit);
  const grab = useRef<{ x: number; y: number; view: View } | null>(null);
  const pan = (event: PointerEvent<SVGSVGElement>) => {
    const start = grab.current;
    if (!start) return;
    const scale = start.view.w / event.currentTarget.clientWidth;
    setView({
      ...start.view,
      x: start.view.x - (event.clientX - start.x) * scale,
      y: start.view.y - (event.clientY - start.y) * scale,
    });
  };
  return (
    <svg
      className={css.flow}
      role="group"
      aria-label="flow of tasks"
      viewBox={`${view.x} ${view.y} ${view.w} ${view.h}`}
      height={Math.min(340, Math.max(64, fit.h))}
      onPointerDown={(event) => {
        grab.current = { x: event.clientX, y: event.clientY, view };
      }}
      onPointerMove={pan}
      onPointerUp={() => {
        grab.current = null;
      }}
      onPointerLeave={() => {
        grab.current = null;
      }}
      onWheel={(event) => {
        if (!event.ctrlKey && !event.metaKey) return;
        const by = event.deltaY > 0 ? 1.15 : 0.87;
        setView((old) => ({ x: old.x, y: old.y, w: old.w * by, h: old.h * by }));
      }}
    >
      {flow.edges.map(([from, to]) => {
        const a = at.get(from);
        const b = at.get(to);
        if (!a || !b) return null;
        const d = `M${a.x + W} ${a.y + H / 2}C${a.x + W + 24} ${a.y + H / 2} ${b.x - 24} ${b.y + H / 2} ${b.x} ${b.y + H / 2}`;
        return <path key={`${from} ${to}`} data-edge="" d={d} />;
      })}
      {flow.nodes.map((node) => {
        const place = at.get(node.ref);
        return (
          place && (
            <Node
              key={node.ref}
              node={node}
              {...place}
              isHere={node.ref === here}
              onOpen={onOpen}
            />
          )
        );
      })}
    </svg>
  );
}
