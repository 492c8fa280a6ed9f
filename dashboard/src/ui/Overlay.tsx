/** A dialog above the page. The rule: non-modal for Radix (its modal mode injects a style), inert page and focus by us. */
import { Dialog } from "radix-ui";
import { type ReactNode, useEffect } from "react";
import { Icon } from "./Icon";
import css from "./overlay.module.css";

type Props = {
  title: string;
  description?: string;
  wide?: boolean;
  isBare?: boolean;
  onClose: () => void;
  children: ReactNode;
};

function useInertPage(): void {
  useEffect(() => {
    const root = document.getElementById("root");
    const focused = document.activeElement;
    root?.setAttribute("inert", "");
    return () => {
      root?.removeAttribute("inert");
      if (focused instanceof HTMLElement && focused.isConnected)
        focused.focus({ preventScroll: true });
    };
  }, []);
}

/** The first field, else the act itself; never the close button, which Enter would press. */
function focusFirstField(event: Event): void {
  const sheet = document.querySelector<HTMLElement>("[data-sheet]");
  const field =
    sheet?.querySelector<HTMLElement>("input, textarea") ??
    sheet?.querySelector<HTMLElement>("[type=submit]");
  if (!field) return;
  event.preventDefault();
  field.focus();
}

export function Overlay({ title, description, wide, isBare, onClose, children }: Props) {
  useInertPage();
  return (
    <Dialog.Root open modal={false} onOpenChange={(isOpen) => !isOpen && onClose()}>
      <Dialog.Portal>
        {/* biome-ignore lint/a11y/noStaticElementInteractions: Escape and the close button do the same */}
        {/* biome-ignore lint/a11y/useKeyWithClickEvents: Escape and the close button do the same */}
        <div className={css.scrim} onClick={onClose} />
        <Dialog.Content
          className={css.sheet}
          data-sheet
          data-wide={wide || undefined}
          data-bare={isBare || undefined}
          aria-modal="true"
          aria-describedby={undefined}
          onOpenAutoFocus={focusFirstField}
        >
          <header className={isBare ? "sr" : css.head}>
            <Dialog.Title>{title}</Dialog.Title>
            {description && <p>{description}</p>}
            {!isBare && (
              <Dialog.Close className={css.close} aria-label="close">
                <Icon name="close" />
              </Dialog.Close>
            )}
          </header>
          {children}
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
