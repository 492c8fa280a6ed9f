"""`z4j openapi`: the API's document, without a server."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from ..app import ENDPOINTS
from ..web.context import VERSION
from ..web.openapi import document


def main(argv: Sequence[str] | None = None) -> int:
    """Print the document."""
    if argv:
        print("z4j openapi takes no arguments", file=sys.stderr)
        return 2
    print(document(ENDPOINTS, VERSION).decode())
    return 0
