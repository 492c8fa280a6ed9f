/** Theme, keyboard, log out. Loaded on the first click. */
import { useQuery } from "@tanstack/react-query";
import { DropdownMenu } from "radix-ui";
import { useState } from "react";
import { toLogin } from "../api/http";
import { logout, me } from "../api/queries";
import { chooseTheme, chosenTheme, type Theme } from "../theme/theme";
import { plain } from "../ui/escape";
import { Icon } from "../ui/Icon";
import { areKeysOn, setKeys } from "../ui/keys";
import menu from "../ui/menu.module.css";
import { showKeys } from "./overlay";
import css from "./shell.module.css";

const THEMES: Theme[] = ["auto", "light", "dark"];

export function UserMenu({ onClose }: { onClose: () => void }) {
  const { data } = useQuery(me());
  const [theme, setTheme] = useState(chosenTheme());
  const [hasKeys, setHasKeys] = useState(areKeysOn());
  return (
    <DropdownMenu.Root defaultOpen modal={false} onOpenChange={(isOpen) => !isOpen && onClose()}>
      <DropdownMenu.Trigger className={css.user} aria-label="user menu">
        <Icon name="user" size={18} />
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content align="end" sideOffset={6} className={menu.menu}>
          <div className={menu.head}>
            <strong>{plain(data?.user.name ?? "")}</strong>
            <span>{plain(data?.user.email ?? "")}</span>
          </div>
          <DropdownMenu.RadioGroup
            value={theme}
            onValueChange={(value) => {
              setTheme(value as Theme);
              chooseTheme(value as Theme);
            }}
          >
            {THEMES.map((one) => (
              <DropdownMenu.RadioItem
                key={one}
                value={one}
                className={menu.item}
                onSelect={(e) => e.preventDefault()}
              >
                <span className={menu.mark}>
                  {theme === one && <Icon name="check" size={14} />}
                </span>
                {one === "auto" ? "Theme: as the system" : `Theme: ${one}`}
              </DropdownMenu.RadioItem>
            ))}
          </DropdownMenu.RadioGroup>
          <DropdownMenu.Separator className={menu.line} />
          <DropdownMenu.CheckboxItem
            className={menu.item}
            checked={hasKeys}
            onCheckedChange={(on) => {
              setHasKeys(on);
              setKeys(on);
            }}
            onSelect={(event) => event.preventDefault()}
          >
            <span className={menu.mark}>{hasKeys && <Icon name="check" size={14} />}</span>
            Single-key shortcuts
          </DropdownMenu.CheckboxItem>
          <DropdownMenu.Item className={menu.item} onSelect={showKeys}>
            <span className={menu.mark} />
            Keyboard sheet <kbd>?</kbd>
          </DropdownMenu.Item>
          <DropdownMenu.Separator className={menu.line} />
          <DropdownMenu.Item
            className={menu.item}
            onSelect={() => void logout().then(toLogin, toLogin)}
          >
            <span className={menu.mark} />
            Log out
          </DropdownMenu.Item>
          <div className={menu.foot}>z4j {plain(data?.server.version ?? "")}</div>
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}
