import { describe, expect, test } from "vitest";
import type { Agent, Definition, Group, Param } from "../../api/types";
import { membersOf, sameJson } from "../jsonText";
import { bodyOf, changedFields, draftOf, localFaults, missing, newDraft, patchOf } from "./draft";
import { clashes, merged } from "./merge";
import { joined, missingParams, slotsOf, typedOf, valueFrom } from "./params";
import { catchupWords } from "./Timeline";
import { placesOf } from "./WhatPart";

const BIG =
  '{"id": "s", "revision": 4, "name": "n", "args": [9007199254740993, 1.10], "kwargs": {}}';

describe("a draft", () => {
  test("keeps the digits of its arguments from the server and back", () => {
    const body = bodyOf(draftOf(BIG));

    expect(membersOf(body).get("args")).toBe("[9007199254740993, 1.10]");
  });

  test("what is not edited is not sent", () => {
    const base = draftOf(BIG);
    const edited = { ...base, name: "m", kwargs: "{ }" };

    expect(changedFields(base, edited)).toEqual(["name"]);
    expect(patchOf(edited, changedFields(base, edited))).toBe('{"name": "m"}');
  });

  test("what is still empty is left out of what the preview is asked", () => {
    const asked = membersOf(bodyOf(newDraft("UTC"), { n: "10" }));

    expect(asked.has("name")).toBe(false);
    expect(asked.has("engine")).toBe(false);
    expect(asked.get("n")).toBe("10");
    expect(asked.has("specs")).toBe(true);
  });

  test("says what is missing, and which JSON cannot be read", () => {
    const draft = newDraft("UTC");

    expect(missing(draft)).toMatch(/engine/);
    expect(missing({ ...draft, engine: "rq", app: "a", task: "t", name: "n" })).toBeNull();
    expect(localFaults({ ...draft, kwargs: "[1]" })).toEqual([
      { pointer: "/kwargs", message: "must be a JSON object" },
    ]);
  });

  test("spaces make no difference, digits do", () => {
    expect(sameJson("[1,  2]", "[1,2]")).toBe(true);
    expect(sameJson("[9007199254740993]", "[9007199254740992]")).toBe(false);
  });
});

describe("two people at once", () => {
  const base = newDraft("UTC");
  const yours = { ...base, name: "mine", grace_s: 5, kwargs: '{"a": 1}' };
  const theirs = { ...base, name: "theirs", queue: "slow", kwargs: '{"a":1}' };

  test("only what both changed differently is asked", () => {
    expect(clashes(base, yours, theirs).map((clash) => clash.field)).toEqual(["name"]);
  });

  test("the result has what each changed alone, and the side chosen for the rest", () => {
    const result = merged(base, yours, theirs, { name: "yours" });

    expect([result.name, result.grace_s, result.queue]).toEqual(["mine", 5, "slow"]);
    expect(merged(base, yours, theirs, { name: "theirs" }).name).toBe("theirs");
  });
});

describe("arguments by parameter", () => {
  const param = (name: string, kind: number, more: Partial<Param> = {}): Param => ({
    name,
    kind: kind as unknown as string,
    ...more,
  });
  const params = [
    param("a", 0),
    param("b", 1, { annotation: "str" }),
    param("c", 3, { has_default: true }),
  ];

  test("what came by place goes back by place", () => {
    const slots = slotsOf('[1, "x"]', '{"c": true}', params);

    expect(slots && joined(slots, params)).toEqual({ args: '[1, "x"]', kwargs: '{"c": true}' });
  });

  test("what is typed anew goes by name, but for a parameter that has no name to callers", () => {
    const values = new Map([
      ["a", "1"],
      ["b", '"x"'],
    ]);

    expect(joined({ values, positional: 0 }, params)).toEqual({
      args: "[1]",
      kwargs: '{"b": "x"}',
    });
  });

  test.each([
    ["[1, 2, 3]", "{}"],
    ["[]", '{"other": 1}'],
    ["[1]", '{"a": 2}'],
    ["[1", "{}"],
  ])("%s with %s does not fit and stays JSON", (args, kwargs) => {
    expect(slotsOf(args, kwargs, params)).toBeNull();
  });

  test("a text is typed without quotes, a number as digits, nothing as no value", () => {
    const [number, text] = params as [Param, Param, Param];

    expect(valueFrom("42", text)).toBe('"42"');
    expect(valueFrom("9007199254740993", number)).toBe("9007199254740993");
    expect(valueFrom("hello there", number)).toBe('"hello there"');
    expect(valueFrom("", text)).toBeUndefined();
    expect(typedOf('"42"', text)).toBe("42");
    expect(typedOf('"42"', number)).toBe('"42"');
  });

  test("names the required ones that have no value", () => {
    expect(missingParams({ values: new Map([["a", "1"]]), positional: 1 }, params)).toEqual(["b"]);
  });
});

describe("where a schedule can live", () => {
  const agent = (state: string, engine: string) =>
    ({ state, engines: [{ engine, app: "shop" }] }) as unknown as Agent;

  test("what an agent reports comes first, the rest says why it is grey", () => {
    const groups = [{ engine: "rq", app: "shop" }] as unknown as Group[];
    const defs = [{ engine: "arq", name: "t" }] as unknown as Definition[];
    const found = placesOf([agent("offline", "huey"), agent("online", "celery")], groups, defs);

    expect(found.map((one) => [one.engine, one.why === null])).toEqual([
      ["celery", true],
      ["rq", false],
      ["huey", false],
      ["arq", false],
    ]);
  });
});

describe("an outage in words", () => {
  test.each([
    [{ missed: 0, more: false, fires: [], lost: 0 }, "No slot lies in it."],
    [
      { missed: 3, more: false, fires: [9], lost: 2 },
      "3 slots in it: 1 fires when it is over, 2 written down as missed.",
    ],
    [
      { missed: 10_000, more: true, fires: [], lost: 10_000 },
      "10,000 slots and more in it: none fires when it is over, 10,000 written down as missed.",
    ],
  ])("%o", (catchup, text) => {
    expect(catchupWords(catchup)).toBe(text);
  });
});
