"""How long until an enqueued task is seen in an open browser, and what an idle brain weighs.

`measure(quick)` gives visible_p95_ms at 1,000 tasks a second and brain_idle_rss_mb. The eye is
Chromium where there is one and the dashboard is built, else a client of the live stream.
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from z4j_testing.demo.processes import Child, Family, free_port, wait_until
from z4j_testing.demo.rest import Rest, enter
from z4j_testing.demo.stack import PROJECT, Brain, start_brain

RATE = 1000
WARM_UP_S = 3.0
STATIC = Path(__file__).parents[1] / "packages/z4j-brain/src/z4j_brain/static/index.html"
PROBE = re.compile(r"probe-\d{6}")
WATCH = """
() => {
  window.seen = {};
  const look = () => {
    const now = Date.now();
    for (const id of document.body.innerText.match(/probe-\\d{6}/g) || []) window.seen[id] ??= now;
  };
  const all = {subtree: true, childList: true, characterData: true};
  new MutationObserver(look).observe(document.body, all);
}
"""


def measure(quick: bool = False) -> list[dict[str, Any]]:
    """Both figures."""
    seconds = 5.0 if quick else 25.0
    home = Path(tempfile.mkdtemp(prefix="z4j-bench-"))
    family = Family(home)
    try:
        brain = start_brain(family, home, free_port())
        rest = enter(brain.url, PROJECT, brain.link)
        idle_mb = _idle_rss_mb(family, rest)
        delays = sorted(_delays_ms(family, home, brain, rest, seconds))
    finally:
        family.end()
        shutil.rmtree(home, ignore_errors=True)
    p95 = delays[int(len(delays) * 0.95)]
    runs = len(delays)
    spread = round(delays[-1] - delays[0], 1)
    return [
        {"name": "visible_p95_ms", "value": p95, "unit": "ms", "runs": runs, "spread": spread},
        {"name": "brain_idle_rss_mb", "value": round(idle_mb, 1), "unit": "MB"},
    ]


def _idle_rss_mb(family: Family, rest: Rest) -> float:
    for _ in range(3):
        rest.get("tasks", range="1h")
    time.sleep(2.0)
    (child,) = [c for c in family.children if c.name == "brain"]
    return sum(_rss_kb(pid) for pid in _tree(child.process.pid)) / 1024


def _tree(pid: int) -> Iterator[int]:
    yield pid
    for task in Path(f"/proc/{pid}/task").iterdir():
        for kid in (task / "children").read_text().split():
            yield from _tree(int(kid))


def _rss_kb(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+)", status)
    return int(found[1]) if found else 0


def _delays_ms(
    family: Family, home: Path, brain: Brain, rest: Rest, seconds: float
) -> Iterator[float]:
    env = {"Z4J_DSN": brain.dsn, "Z4J_SPOOL_DIR": str(home / "spool")}
    command = [sys.executable, str(Path(__file__).with_name("visible_load.py"))]
    with _eye(rest) as seen:
        load = family.start("load", [*command, str(RATE), str(WARM_UP_S + seconds)], env)
        wait_until("the load ends", lambda: load.process.poll() is not None, seconds + 30)
        if load.process.returncode:
            raise RuntimeError(load.tail())
        family.children.remove(load)
        sent = _sent(load)
        last = max(sent)
        with contextlib.suppress(TimeoutError):
            wait_until("the last probe is seen", lambda: last in seen(), 10)
        at = seen()
    first = min(sent.values()) + WARM_UP_S * 1e9
    counted = {probe: ns for probe, ns in sent.items() if ns >= first}
    lost = counted.keys() - at.keys()
    if len(lost) > len(counted) * 0.02:
        raise RuntimeError(f"{len(lost)} of {len(counted)} probes were never seen")
    for probe in counted.keys() & at.keys():
        yield at[probe] - counted[probe] / 1e6


def _sent(load: Child) -> dict[str, int]:
    lines = (line.split() for line in load.log.read_text().splitlines())
    return {words[0]: int(words[1]) for words in lines if PROBE.fullmatch(words[0])}


@contextlib.contextmanager
def _eye(rest: Rest) -> Iterator[Callable[[], dict[str, float]]]:
    chromium = shutil.which("chromium")
    eye = _browser(rest, chromium) if chromium and STATIC.exists() else _stream(rest)
    with eye as seen:
        yield seen


@contextlib.contextmanager
def _browser(rest: Rest, chromium: str) -> Iterator[Callable[[], dict[str, float]]]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        name, _, value = rest.cookie.partition("=")
        page.context.add_cookies([{"name": name, "value": value, "url": rest.url}])
        page.goto(f"{rest.url}/p/{PROJECT}/tasks?q=task:bench.probe")
        page.wait_for_timeout(1500)
        page.evaluate(WATCH)
        yield lambda: page.evaluate("() => window.seen")
        browser.close()


@contextlib.contextmanager
def _stream(rest: Rest) -> Iterator[Callable[[], dict[str, float]]]:
    at: dict[str, float] = {}
    url = f"{rest.url}/api/v1/projects/{PROJECT}/live?view=tasks&q=task:bench.probe&range=1h"
    request = Request(url, headers={"Cookie": rest.cookie, "Origin": rest.url})
    answer = urlopen(request, timeout=60)
    reader = threading.Thread(target=_read, args=(answer, at), daemon=True)
    reader.start()
    yield lambda: dict(at)


def _read(answer: Any, at: dict[str, float]) -> None:
    with contextlib.suppress(OSError, ValueError):
        for line in answer:
            now = time.time_ns() / 1e6
            for probe in PROBE.findall(line.decode()):
                at.setdefault(probe, now)


if __name__ == "__main__":
    print(json.dumps(measure(quick="--quick" in sys.argv), indent=2))
