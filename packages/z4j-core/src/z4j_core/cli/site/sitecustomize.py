"""Starts z4j in each interpreter under `z4j run`. The rule: the next one on the path runs too."""
# ruff: noqa: INP001 - the interpreter looks for a module on the path, not in a package

import importlib.machinery
import importlib.util
import sys
from pathlib import Path


def _next_one() -> None:
    """Run the sitecustomize that would have been found without ours."""
    here = Path(__file__).resolve().parent
    others = [path for path in sys.path if Path(path or ".").resolve() != here]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", others)
    if spec is not None and spec.loader is not None:
        spec.loader.exec_module(importlib.util.module_from_spec(spec))


_next_one()
try:
    from z4j_core.agent import autostart
except ImportError:  # another interpreter, without z4j
    pass
else:
    autostart()
