import { renderToStaticMarkup } from "react-dom/server";
import { describe, expect, test } from "vitest";
import { pieces, plain } from "./escape";
import { Text } from "./Text";

const HOSTILE: [name: string, text: string, shown: string][] = [
  ["right-to-left override", "a\u202eb", "a\\u202eb"],
  ["isolates", "\u2066x\u2069", "\\u2066x\\u2069"],
  ["zero width", "a\u200bb\u200d\ufeff", "a\\u200bb\\u200d\\ufeff"],
  ["controls", "\u0000\u001b[31m\u007f\u0085", "\\0\\u001b[31m\\u007f\\u0085"],
  ["line separators", "a\u2028b\u2029", "a\\u2028b\\u2029"],
  ["tags beyond the plane", "a\u{e0041}", "a\\u{e0041}"],
  ["a lone surrogate", "a\ud800b", "a\\ud800b"],
  ["soft hyphen and filler", "a\u00ad\u3164", "a\\u00ad\\u3164"],
  ["newline in a cell", "a\nb\tc", "a\\nb\\tc"],
];

describe("text from tasks", () => {
  test.each(HOSTILE)("shows %s as escapes", (_, text, shown) => {
    expect(plain(text)).toBe(shown);
  });

  test.each(["plain", "naïve café", "日本語", "🙂🏽", "<b>&amp;</b>", "𝒜"])(
    "leaves %s alone",
    (text) => {
      expect(pieces(text)).toEqual([{ text, escaped: false }]);
    },
  );

  test("keeps line breaks where many lines are shown", () => {
    expect(pieces("a\nb\tc\r", true)).toEqual([
      { text: "a\nb\tc", escaped: false },
      { text: "\\r", escaped: true },
    ]);
  });

  test.each([
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "javascript:alert(1)",
    "{{constructor.constructor('alert(1)')()}}",
    "</textarea><svg onload=alert(1)>",
  ])("renders %s as characters, never as elements", (text) => {
    const html = renderToStaticMarkup(<Text value={text} />);

    const box = document.createElement("div");
    box.innerHTML = html;
    expect(box.textContent).toBe(text);
    expect(box.querySelectorAll("*:not(bdi)")).toHaveLength(0);
  });

  test("is cut at its limit", () => {
    expect(renderToStaticMarkup(<Text value={"x".repeat(300)} limit={10} />)).toBe(
      `<bdi>${"x".repeat(10)}…</bdi>`,
    );
  });
});
