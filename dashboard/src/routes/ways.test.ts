import { describe, expect, it } from "vitest";
import { blockOf, ENGINES, PLACES } from "./ways";

const engine = (id: string) => ENGINES.find((one) => one.id === id) as (typeof ENGINES)[number];
const place = (id: string) => PLACES.find((one) => one.id === id) as (typeof PLACES)[number];

describe("what to type", () => {
  it("is three lines for a worker, and no code", () => {
    expect(blockOf(engine("arq"), place("Worker"), "https://k@h/p", "2.0.0")).toBe(
      "pip install 'z4j[arq]==2.0.0'\nexport Z4J_DSN='https://k@h/p'\nz4j run -- arq shop.worker.WorkerSettings",
    );
  });

  it("installs framework and engine for a process that enqueues", () => {
    const block = blockOf(engine("RQ"), place("Django"), "https://k@h/p", undefined);

    expect(block).toContain("pip install 'z4j[django,rq]'\n");
    expect(block).toContain('INSTALLED_APPS += ["z4j_django"]');
  });

  it("exists for every engine in every place, and no two are the same", () => {
    const blocks = ENGINES.flatMap((one) => PLACES.map((where) => blockOf(one, where, "d", "1")));

    expect(new Set(blocks).size).toBe(6 * 5);
  });
});
