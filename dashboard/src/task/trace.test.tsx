import { act } from "react";
import { createRoot } from "react-dom/client";
import { renderToStaticMarkup } from "react-dom/server";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { TaskError } from "../api/types";
import { Part } from "../ui/Part";
import { ErrorTrace } from "./ErrorTrace";

const shown = (text: string) => ({ flags: 0, size: text.length, text });
const raised = (type: string, change: Partial<TaskError> = {}): TaskError => ({
  type,
  message: shown(`message of ${type}`),
  traceback: null,
  frames: [],
  chain: [],
  ...change,
});
const wordsOf = (error: TaskError) => {
  const box = document.createElement("div");
  box.innerHTML = renderToStaticMarkup(<ErrorTrace error={error} />);
  return box.textContent;
};

describe("an error with earlier exceptions", () => {
  test("reads from the last one back, each with how it led on", () => {
    const chain = [raised("First", { kind: "context" }), raised("Second", { kind: "cause" })];

    expect(wordsOf(raised("Last", { chain }))).toMatch(
      /Last: message of Last.*caused by.*Second.*while handling.*First/,
    );
  });

  test("needs no traceback text and no message", () => {
    const hidden = raised("Cause", { kind: "cause", message: { hidden: true } });

    const words = wordsOf(raised("Last", { message: shown(""), chain: [hidden] }));

    expect(words).toContain("Lastcaused byCause");
    expect(words).toContain("message hidden");
  });
});

describe("a part of a page", () => {
  afterEach(() => vi.restoreAllMocks());

  test("that breaks says so in its own place and leaves its neighbours", async () => {
    vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);
    const box = document.createElement("div");
    const Broken = () => {
      throw new Error("of an unknown shape");
    };

    const root = createRoot(box, { onCaughtError: () => undefined });
    await act(async () =>
      root.render(
        <>
          <Part name="error">
            <Broken />
          </Part>
          <p>the rest</p>
        </>,
      ),
    );

    expect(box.querySelector("[role=alert]")?.textContent).toContain("The error cannot be shown");
    expect(box.textContent).toContain("the rest");
    vi.unstubAllGlobals();
  });
});
