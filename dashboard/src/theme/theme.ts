/** Light, dark or as the system says. The rule: one attribute on <html> decides, chosen before the first paint. */
export type Theme = "auto" | "light" | "dark";

const STORE = "z4j.theme";
const system = () => matchMedia("(prefers-color-scheme: dark)");

export function chosenTheme(): Theme {
  const value = localStorage.getItem(STORE);
  return value === "light" || value === "dark" ? value : "auto";
}

export function applyTheme(theme: Theme = chosenTheme()): void {
  const dark = theme === "dark" || (theme === "auto" && system().matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  dispatchEvent(new Event("z4j:theme"));
}

export function chooseTheme(theme: Theme): void {
  localStorage.setItem(STORE, theme);
  applyTheme(theme);
}

export function followSystemTheme(): void {
  system().addEventListener("change", () => applyTheme());
}
