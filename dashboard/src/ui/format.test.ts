import { describe, expect, test } from "vitest";
import { age, count, distance, duration, num, percent, short } from "./format";

describe("numbers as people read them", () => {
  test.each([
    [null, "—"],
    [0, "0 s"],
    [840, "840 µs"],
    [184_000, "184 ms"],
    [999_600, "1 s"],
    [1_234_000, "1.23 s"],
    [12_340_000, "12.3 s"],
    [125_000_000, "2 m 05 s"],
    [3_600_000_000, "1 h 00 m"],
    [90_000_000_000, "1 d 1 h"],
  ])("%s µs is %s", (us, text) => {
    expect(duration(us)).toBe(text);
  });

  test.each([
    [0, "now"],
    [41_000, "41 s"],
    [125_000, "2 min"],
    [7_200_000, "2 h"],
    [3 * 86_400_000, "3 d"],
  ])("%i ms ago is %s", (ms, text) => {
    expect(age(1e12 - ms, 1e12)).toBe(text);
  });

  test("what is to come says in", () => {
    expect(distance(1e12 + 41_000, 1e12)).toBe("in 41 s");
    expect(distance(1e12 - 41_000, 1e12)).toBe("41 s ago");
  });

  test("exact numbers are grouped, approximate ones say so", () => {
    expect(num({ value: 48_213, approx: false })).toBe("48,213");
    expect(num({ value: 1_240_000, approx: true })).toBe("≈ 1.24 M");
    expect(short(94_412)).toBe("94.4 k");
    expect(count(null)).toBe("—");
  });

  test("a small share is not rounded to nothing", () => {
    expect(percent(0.02)).toBe("< 0.1 %");
    expect(percent(0)).toBe("0 %");
    expect(percent(2.14)).toBe("2.1 %");
  });
});
