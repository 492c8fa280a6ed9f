/** A button that may be refused. The rule: refused it stays in place and tells sentence, fix and code. */
import { lazy, type ReactNode, Suspense, useState } from "react";
import type { Can } from "../api/types";
import type { IconName } from "../ui/Icon";
import { Button } from "../ui/parts";

const Reason = lazy(() => import("./Reason").then((module) => ({ default: module.Reason })));

type Props = {
  can: Can;
  icon?: IconName;
  tone?: "primary" | "danger" | "quiet";
  title?: string;
  /** Of a button that is an icon alone. */
  label?: string;
  children?: ReactNode;
  onClick: () => void;
};

export function CanButton({ can, icon, tone, title, label, children, onClick }: Props) {
  const [isAsked, setAsked] = useState(false);
  const why = [can.why, can.fix, can.code].filter(Boolean).join("\n");
  const button = (
    <Button
      icon={icon}
      tone={can.ok ? tone : undefined}
      aria-disabled={!can.ok}
      aria-label={label}
      title={can.ok ? (title ?? label) : why}
      onClick={() => (can.ok ? onClick() : setAsked(true))}
    >
      {children}
    </Button>
  );
  if (!isAsked || can.ok) return button;
  return (
    <Suspense fallback={button}>
      <Reason can={can} onClose={() => setAsked(false)}>
        {button}
      </Reason>
    </Suspense>
  );
}
