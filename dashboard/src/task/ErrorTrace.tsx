/** What was raised. The rule: the application's frames are open, the library's are folded but present. */
import { useState } from "react";
import type { Frame, TaskError } from "../api/types";
import { plural } from "../ui/format";
import { Icon } from "../ui/Icon";
import { Copy } from "../ui/parts";
import { Text } from "../ui/Text";
import { isHidden } from "./Args";
import css from "./task.module.css";

type Group = { inApp: boolean; frames: Frame[] };

export function groups(frames: Frame[]): Group[] {
  const found: Group[] = [];
  for (const frame of frames) {
    const last = found.at(-1);
    if (last && last.inApp === frame.in_app) last.frames.push(frame);
    else found.push({ inApp: frame.in_app, frames: [frame] });
  }
  return found;
}

function FrameLine({ frame }: { frame: Frame }) {
  return (
    <div className={css.frame} data-app={frame.in_app || undefined}>
      <div className={css.where}>
        <span className={css.function}>
          <Text value={frame.function} limit={256} />
        </span>
        <span className={css.file}>
          <bdi dir="ltr">
            <Text value={frame.file} limit={400} />:{frame.line}
          </bdi>
        </span>
      </div>
      {frame.code && (
        <pre className={css.codeLine}>
          <Text value={frame.code} multiline />
        </pre>
      )}
    </div>
  );
}

function Folded({ frames }: { frames: Frame[] }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <button
        type="button"
        className={css.fold}
        aria-expanded={isOpen}
        onClick={() => setOpen(!isOpen)}
      >
        <Icon name={isOpen ? "down" : "right"} size={12} />
        {plural(frames.length, "library frame")}
      </button>
      {isOpen && frames.map((frame, at) => <FrameLine key={at} frame={frame} />)}
    </>
  );
}

function Frames({ error }: { error: TaskError }) {
  if (error.frames.length > 0) {
    return groups(error.frames).map((group, at) =>
      group.inApp ? (
        group.frames.map((frame, index) => <FrameLine key={`${at}-${index}`} frame={frame} />)
      ) : (
        <Folded key={at} frames={group.frames} />
      ),
    );
  }
  if (!error.traceback || isHidden(error.traceback) || !error.traceback.text) return null;
  return (
    <pre className={css.raw}>
      <Text value={error.traceback.text} multiline />
    </pre>
  );
}

/** Earlier exceptions are read from the last back, so the words point back too. */
const LINK = { cause: "caused by", context: "while handling" };

/** The chain as the traceback has it is oldest first; the reader starts from what ended the task. */
export function earlier(error: TaskError): TaskError[] {
  return [...(error.chain ?? [])].reverse();
}

function One({ error, isEarlier }: { error: TaskError; isEarlier: boolean }) {
  return (
    <div className={css.error}>
      {isEarlier && <p className={css.cause}>{LINK[error.kind ?? "cause"]}</p>}
      <p className={css.raised}>
        <b>
          <Text value={error.type} limit={256} />
        </b>
        {isHidden(error.message) ? (
          <span className={css.note}> message hidden: your role lacks run.args.read</span>
        ) : (
          error.message.text && (
            <>
              {": "}
              <Text value={error.message.text} multiline />
            </>
          )
        )}
      </p>
      <Frames error={error} />
    </div>
  );
}

export function ErrorTrace({ error }: { error: TaskError }) {
  const { traceback } = error;
  const text = !traceback || isHidden(traceback) ? "" : traceback.text;
  return (
    <section className={css.section}>
      <h2>error {text && <Copy text={text} label="traceback" />}</h2>
      <div className={css.trace}>
        <One error={error} isEarlier={false} />
        {earlier(error).map((one, at) => (
          <One key={at} error={one} isEarlier />
        ))}
      </div>
    </section>
  );
}
