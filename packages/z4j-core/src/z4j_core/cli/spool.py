"""`z4j spool show [DIR]`: what waits on this machine. The rule: it only reads, and no values."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

USAGE = 2
_SUFFIXES = {".seg", ".done"}


def main(argv: Sequence[str]) -> int:
    """Print streams and their sizes under a spool root."""
    if argv[:1] != ["show"] or len(argv) > 2:  # noqa: PLR2004 - the verb and a directory
        print("usage: z4j spool show [directory]", file=sys.stderr)
        return USAGE
    root = Path(argv[1]) if len(argv) > 1 else default_root()
    rows = list(streams(root))
    for path, segments, size in rows:
        print(f"{path.name[:12]}  {segments:>4} segments  {size / 1024:>10.1f} KiB  {path}")
    print(f"{len(rows)} streams under {root}")
    return 0


def default_root() -> Path:
    """Where spools are unless `Z4J_SPOOL_DIR` says otherwise."""
    given = os.environ.get("Z4J_SPOOL_DIR")
    state = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(given) if given else Path(state) / "z4j"


def streams(root: Path) -> Iterator[tuple[Path, int, int]]:
    """(directory, number of segments, bytes) of each stream below `root`."""
    for path in sorted(root.glob("*/s/*")):
        sizes = [file.stat().st_size for file in path.iterdir() if file.suffix in _SUFFIXES]
        yield path, len(sizes), sum(sizes)
