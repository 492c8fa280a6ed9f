/** Keyboard. The rule: no key fires while the reader types, with a modifier it does not own, or when switched off. */
import { useEffect } from "react";

export type Keymap = Record<string, (event: KeyboardEvent) => void>;

const STORE = "z4j.keys";
const layers: Keymap[] = [];
let prefix = "";
let prefixAt = 0;

export function areKeysOn(): boolean {
  return localStorage.getItem(STORE) !== "off";
}

export function setKeys(on: boolean): void {
  localStorage.setItem(STORE, on ? "on" : "off");
}

export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName);
}

/** `mod+k`, `shift+x`, `g t`, `j`. */
export function nameOf(event: KeyboardEvent): string {
  const mod = event.metaKey || event.ctrlKey ? "mod+" : "";
  const isLetter = event.key.length === 1 && event.key.toLowerCase() !== event.key.toUpperCase();
  const shift = event.shiftKey && (isLetter || event.key.length > 1) ? "shift+" : "";
  return mod + shift + (isLetter ? event.key.toLowerCase() : event.key);
}

function find(name: string): ((event: KeyboardEvent) => void) | undefined {
  for (let at = layers.length - 1; at >= 0; at -= 1) {
    const handler = layers[at]?.[name];
    if (handler) return handler;
  }
  return undefined;
}

function pressed(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.altKey || isTyping(event.target)) return;
  const name = nameOf(event);
  if (!areKeysOn() && name !== "mod+k") return;
  if (document.querySelector("[data-sheet]") && name !== "Escape") return;
  const isFresh = event.timeStamp - prefixAt < 1200;
  const handler = (prefix && isFresh ? find(`${prefix} ${name}`) : undefined) ?? find(name);
  prefix = name === "g" ? "g" : "";
  prefixAt = event.timeStamp;
  if (!handler) return;
  event.preventDefault();
  handler(event);
}

/** Add a layer of keys; the newest layer wins. `keymap` should be stable. */
export function useKeys(keymap: Keymap): void {
  useEffect(() => {
    if (layers.length === 0) window.addEventListener("keydown", pressed);
    layers.push(keymap);
    return () => {
      layers.splice(layers.indexOf(keymap), 1);
      if (layers.length === 0) window.removeEventListener("keydown", pressed);
    };
  }, [keymap]);
}
