/** Why a control is refused, in a popover. */
import { Popover } from "radix-ui";
import type { ReactNode } from "react";
import type { Can } from "../api/types";
import menu from "../ui/menu.module.css";

type Props = { can: Can; children: ReactNode; onClose: () => void };

export function Reason({ can, children, onClose }: Props) {
  return (
    <Popover.Root defaultOpen modal={false} onOpenChange={(isOpen) => !isOpen && onClose()}>
      <Popover.Anchor asChild>
        <span>{children}</span>
      </Popover.Anchor>
      <Popover.Portal>
        <Popover.Content sideOffset={6} align="start" className={`${menu.menu} ${menu.note}`}>
          <strong>{can.why ?? "Not possible here"}</strong>
          {can.fix && <span>{can.fix}</span>}
          {can.code && <code>{can.code}</code>}
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}
