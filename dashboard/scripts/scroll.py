"""Measures scrolling through many rows as a wheel does it: 100-200 px in every frame.

Usage: node e2e/fixture_server.mjs 7711 100000 & python scripts/scroll.py [URL] [FRAMES]
Prints the time between frames (ms) and the rows reached. Needs Playwright and Chromium (Z4J_CHROMIUM).
"""

from __future__ import annotations

import json
import os
import shutil
import sys

from playwright.sync_api import sync_playwright

URL = "http://127.0.0.1:7711/p/demo/tasks?range=all"
FRAMES = 600
LIMIT_MS = 25
ARGS = ["--no-sandbox", "--disable-gpu", "--disable-quic"]
SCROLL = """(frames) => new Promise((done) => {
  const box = document.querySelector("[data-scroll=tasks]");
  const gaps = [];
  let blank = 0;
  let last = performance.now();
  const step = (now) => {
    gaps.push(now - last);
    last = now;
    box.scrollTop += 100 + (gaps.length % 5) * 25;
    if (gaps.length % 20 === 0) {
      const edge = box.getBoundingClientRect();
      const seen = document.elementFromPoint(edge.left + 200, edge.top + edge.height / 2);
      if (!seen?.closest("[data-row]")) blank += 1;
    }
    if (gaps.length < frames) requestAnimationFrame(step);
    else {
      gaps.splice(0, 5);
      gaps.sort((a, b) => a - b);
      const at = (share) => Math.round(gaps[Math.floor(gaps.length * share)] * 10) / 10;
      const nodes = document.querySelectorAll("[data-row]").length;
      done({p50: at(0.5), p95: at(0.95), p99: at(0.99), most: at(0.9999), blank, nodes,
        reached: Math.round(box.scrollTop / 28)});
    }
  };
  requestAnimationFrame(step);
})"""


def main() -> int:
    """Scroll once and say whether p95 holds."""
    url = sys.argv[1] if len(sys.argv) > 1 else URL
    frames = int(sys.argv[2]) if len(sys.argv) > 2 else FRAMES  # noqa: PLR2004
    path = os.environ.get("Z4J_CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGS)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(url)
        page.locator("[data-row='20']").wait_for()
        found = page.evaluate(SCROLL, frames)
        browser.close()
    print(json.dumps(found))  # noqa: T201
    return 0 if found["p95"] <= LIMIT_MS else 1


if __name__ == "__main__":
    sys.exit(main())
