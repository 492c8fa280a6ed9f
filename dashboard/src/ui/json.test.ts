import { describe, expect, test } from "vitest";
import { oneLine, readJson } from "./json";

describe("reading JSON text", () => {
  test.each([
    "9007199254740993",
    "123456789012345678901234567890",
    "-0",
    "1e400",
    "0.1000",
    "-12.50E+3",
  ])("the number %s keeps every digit", (text) => {
    expect(readJson(`[${text}]`).root).toEqual({
      kind: "array",
      items: [{ kind: "number", text }],
    });
  });

  test("names, types and order survive, doubled keys too", () => {
    const { root, complete } = readJson('{"b": [1, true, null], "a": "x\\n\\u00e9", "b": {}}');

    expect(complete).toBe(true);
    expect(oneLine(root)).toBe('{b: [1, true, null], a: "x\\né", b: {}}');
  });

  test.each([
    ['{"a": [1, 2', "{a: [1, 2]}"],
    ['["whole", "cut he', '["whole", "cut he"]'],
    ['{"key', "{key: …}"],
    ["", "…"],
    ["[1, @]", "[1, …]"],
  ])("a text cut in the middle gives its head: %s", (text, shown) => {
    const { root, complete } = readJson(text);

    expect(complete).toBe(false);
    expect(oneLine(root)).toBe(shown);
  });

  test.each(["01", "+1", ".5", "NaN", "{'a': 1}", "[1] tail", "[1,]"])("%s is not JSON", (text) => {
    expect(readJson(text).complete).toBe(false);
  });

  test("a tower of brackets does not break the page", () => {
    expect(readJson("[".repeat(100_000)).complete).toBe(false);
  });
});
