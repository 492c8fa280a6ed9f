/** Every key, in one place. */
import { Overlay } from "../ui/Overlay";
import css from "../ui/overlay.module.css";
import { hideOverlay } from "./overlay";
import { PLACES } from "./places";

const KEYS: [key: string, meaning: string][] = [
  ["/", "search"],
  ["⌘K", "palette"],
  ["j  k", "next, previous row"],
  ["Enter", "open in the pane"],
  ["⌘Enter", "open as a page"],
  ["Esc", "close, clear"],
  ["x", "select the row"],
  ["⇧x", "select up to the row"],
  ["⌘A", "select all matching"],
  ["r", "retry…"],
  ["e", "edit and retry…"],
  ["c", "cancel…"],
  ["n", "new schedule"],
  [".", "pause, resume live"],
  ["t", "relative or absolute times"],
  ["[  ]", "shorter, longer range"],
  ["?", "this sheet"],
  ...PLACES.map((place): [string, string] => [`g ${place.key}`, place.label]),
];

export function KeySheet() {
  return (
    <Overlay title="Keyboard" onClose={hideOverlay}>
      <div className={css.body}>
        <div className={css.keys}>
          {KEYS.map(([key, meaning]) => (
            <div key={key}>
              <span>{meaning}</span>
              <kbd>{key}</kbd>
            </div>
          ))}
        </div>
      </div>
    </Overlay>
  );
}
