/** The detail pane beside the list; its width is the reader's. */
import { type PointerEvent, useState } from "react";
import type { Task } from "../api/types";
import { Button } from "../ui/parts";
import { TaskView } from "./TaskView";
import css from "./tasks.module.css";

const STORE = "z4j.pane";
const LEAST = 360;

type Props = { project: string; refId: string; onClose: () => void; onPage: (task: Task) => void };

export function Pane({ project, refId, onClose, onPage }: Props) {
  const [width, setWidth] = useState(() => Number(localStorage.getItem(STORE)) || 520);
  const drag = (event: PointerEvent) => {
    if (!event.currentTarget.hasPointerCapture(event.pointerId)) return;
    setWidth(Math.max(LEAST, Math.min(innerWidth - 420, innerWidth - event.clientX)));
  };
  return (
    <aside className={css.pane} aria-label="task" style={{ ["--pane" as string]: `${width}px` }}>
      <div
        className={css.edge}
        onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
        onPointerMove={drag}
        onPointerUp={() => localStorage.setItem(STORE, String(width))}
      />
      <div className={css.paneTools}>
        <Button
          tone="quiet"
          icon="open"
          title="open as a page  ⌘Enter"
          aria-label="open as a page"
          onClick={() => onPage({ ref: refId } as Task)}
        />
        <Button tone="quiet" icon="close" title="close  Esc" aria-label="close" onClick={onClose} />
      </div>
      <TaskView project={project} refId={refId} isPane />
    </aside>
  );
}
