import { describe, expect, test } from "vitest";
import { exclude, only, selected, toggle, without } from "./edit";
import { lint, nearest, quote, terms, tokenize, unquote } from "./tokenizer";

const kinds = (q: string) => tokenize(q).map((token) => `${token.kind}:${token.text}`);

describe("the tokenizer", () => {
  const samples = [
    'state:failed,retrying queue:mail task:shop.* "gateway timeout"',
    "arg.order_id:>100 took:>2s age:<1h -worker:celery@a*",
    "(state:lost OR is:dead) NOT release:1.4.2",
    'root:0198c2f4 arg."odd key".0:=1 "open',
    "a:b:c ,,, )( :x -",
    'state:"fa\\"iled" \u202e zero\u200b',
  ];

  test.each(samples)("keeps every character of %s in exactly one token", (q) => {
    const tokens = tokenize(q);

    expect(tokens.map((token) => token.text).join("")).toBe(q);
    expect(tokens.every((token, at) => token.from === (tokens[at - 1]?.to ?? 0))).toBe(true);
  });

  test("splits a term at its first colon", () => {
    expect(kinds("worker:celery@a:5")).toEqual(["key:worker", "colon::", "value:celery@a:5"]);
  });

  test("tells operators, commas and negation apart", () => {
    expect(kinds("-took:>=2s")).toEqual(["not:-", "key:took", "colon::", "op:>=", "value:2s"]);
    expect(kinds("state:a,b")).toEqual(["key:state", "colon::", "value:a", "comma:,", "value:b"]);
  });

  test("takes lower-case and and or as text", () => {
    expect(kinds("cats and dogs")[2]).toBe("text:and");
    expect(kinds("cats AND dogs")[2]).toBe("keyword:AND");
  });

  test("finds negated and nested terms", () => {
    const found = terms("(state:lost OR is:dead) NOT release:1.4.2 -queue:mail");

    expect(found.map((term) => [term.key, term.negated, term.depth])).toEqual([
      ["state", false, 1],
      ["is", false, 1],
      ["release", true, 0],
      ["queue", true, 0],
    ]);
  });

  test("survives ten thousand random strings without losing a character", () => {
    const letters = 'ab:-"()>,. \\OR*=';
    let seed = 42;
    const next = () => {
      seed = (seed * 1103515245 + 12345) & 0x7fffffff;
      return seed;
    };
    for (let round = 0; round < 10_000; round += 1) {
      const q = Array.from({ length: next() % 24 }, () => letters[next() % letters.length]).join(
        "",
      );
      expect(
        tokenize(q)
          .map((token) => token.text)
          .join(""),
      ).toBe(q);
    }
  });
});

describe("the linter", () => {
  test("names the column and the nearest key", () => {
    expect(lint("state:failed queu:mail")).toEqual({
      column: 14,
      message: "unknown key queu: did you mean queue:?",
      isKey: true,
    });
  });

  test.each([
    ["state:", 7],
    ["(state:failed", 14],
    ["state:failed)", 13],
    ['"open', 1],
  ])("sees what is unfinished in %s at column %i", (q, column) => {
    expect(lint(q)?.column).toBe(column);
  });

  test("accepts arguments by path", () => {
    expect(lint('arg.order.id:>100 arg."a b":=1')).toBeNull();
  });

  test("offers no key that is far away", () => {
    expect(nearest("zzzzzz")).toBeNull();
    expect(nearest("wroker")).toBe("worker");
  });
});

describe("editing by click", () => {
  test("adds, joins and removes a value without touching the rest", () => {
    const one = toggle('"time out"  took:>2s', "state", "failed");
    const two = toggle(one, "state", "lost");

    expect(one).toBe('"time out" took:>2s state:failed');
    expect(two).toBe('"time out" took:>2s state:failed,lost');
    expect(toggle(toggle(two, "state", "failed"), "state", "lost")).toBe('"time out" took:>2s');
  });

  test("leaves a negated term alone", () => {
    expect(toggle("-queue:mail", "queue", "pay")).toBe("-queue:mail queue:pay");
    expect(selected("-queue:mail", "queue")).toEqual([]);
  });

  test("quotes what would be read as syntax", () => {
    expect(only("", "queue", "a b")).toBe('queue:"a b"');
    expect(exclude("", "queue", 'x"y')).toBe('-queue:"x\\"y"');
    expect(unquote(quote('x"y\\z'))).toBe('x"y\\z');
  });

  test("drops a term with its minus", () => {
    const term = terms("a-b -queue:mail state:failed")[0];

    expect(term && without("a-b -queue:mail state:failed", term)).toBe("a-b state:failed");
  });
});
