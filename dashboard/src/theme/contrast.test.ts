import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

const source = readFileSync("src/theme/tokens.css", "utf8");
const LEAST = 4.5;
const SURFACES = ["--z-page", "--z-card", "--z-hover", "--z-row"];

function block(start: string): Map<string, string> {
  const from = source.indexOf(start);
  const text = source.slice(from, source.indexOf("}", from));
  return new Map(
    [...text.matchAll(/(--z-[\w-]+):\s*(#[0-9a-f]{6});/g)].map((m) => [m[1] ?? "", m[2] ?? ""]),
  );
}

function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const share = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [high = 0, low = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (high + 0.05) / (low + 0.05);
}

const themes = { light: block(":root {"), dark: block('[data-theme="dark"]') };
const isInk = (name: string) => /^--z-(ink|state-|accent|danger)/.test(name);

describe.each(Object.entries(themes))("the %s theme", (_, tokens) => {
  const inks = [...tokens.keys()].filter(isInk);
  const pairs = inks.flatMap((ink) => SURFACES.map((surface): [string, string] => [ink, surface]));

  test("has all ten states and three inks", () => {
    expect(inks.filter((name) => name.startsWith("--z-state-"))).toHaveLength(10);
    expect(inks.filter((name) => name.startsWith("--z-ink"))).toHaveLength(3);
  });

  test.each(pairs)("%s is readable on %s", (ink, surface) => {
    expect(contrast(tokens.get(ink) ?? "", tokens.get(surface) ?? "")).toBeGreaterThanOrEqual(
      LEAST,
    );
  });

  test.each(["--z-accent", "--z-danger"])("a button's text is readable on %s", (surface) => {
    expect(
      contrast(tokens.get("--z-on-accent") ?? "", tokens.get(surface) ?? ""),
    ).toBeGreaterThanOrEqual(LEAST);
  });
});

describe("the order of layers", () => {
  const files = (readdirSync("src", { recursive: true }) as string[]).filter((name) =>
    name.endsWith(".css"),
  );

  test.each(files)("is said first in %s, so that no order of loading can change it", (name) => {
    const text = readFileSync(`src/${name}`, "utf8").replace(/^\/\*.*?\*\/\s*/s, "");

    expect(text.startsWith("@layer tokens, base, components, routes;")).toBe(true);
  });
});
