import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { describe, expect, test } from "vitest";

const RIVALS = /\b(jobs?|executions?|runs|a run|the run|last run|test run)\b/i;

function filesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return filesIn(path);
    return /\.tsx?$/.test(entry.name) && !entry.name.includes(".test.") ? [path] : [];
  });
}

/** Texts a reader can meet: JSX text and string literals with a space or a capital. */
function wordsOf(path: string): string[] {
  const source = ts.createSourceFile(
    path,
    readFileSync(path, "utf8"),
    ts.ScriptTarget.Latest,
    true,
    ts.ScriptKind.TSX,
  );
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isJsxText(node) || ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node))
      found.push(node.text);
    if (ts.isTemplateExpression(node))
      found.push(node.head.text, ...node.templateSpans.map((span) => span.literal.text));
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

describe("the words of the interface", () => {
  test("name a task a task and an attempt an attempt, everywhere", () => {
    const rivals = filesIn("src").flatMap((path) =>
      wordsOf(path)
        .filter((text) => RIVALS.test(text))
        .map((text) => `${path}: ${text}`),
    );

    expect(rivals).toEqual([]);
  });

  test("are found at all", () => {
    expect(filesIn("src").flatMap(wordsOf).join(" ")).toContain("0 tasks match");
  });
});
